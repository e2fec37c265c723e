// Who is behind a service: the identities that its servers may show (Istio model/push_context.go initServiceAccounts).
import { memoByIdentity, memoByIdentity2 } from "../../kit/index.ts";
import type { Endpoint, MeshSettings, Service, ServiceEndpoints } from "../../model/index.ts";

const TLS_MODE_LABEL = "security.istio.io/tlsMode";

function spiffeId(endpoint: Endpoint, trustDomain: string): string | undefined {
  if (endpoint.serviceAccount === "") return undefined;
  const namespace = endpoint.workload.slice(0, endpoint.workload.indexOf("/"));
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${endpoint.serviceAccount}`;
}

/** Other trust domains that are as good: the same workload under each. */
function expand(identity: string, aliases: readonly string[]): readonly string[] {
  const match = /^spiffe:\/\/[^/]+\/(.*)$/.exec(identity);
  return match === null ? [identity] : [identity, ...aliases.map((domain) => `spiffe://${domain}/${match[1]}`)];
}

const identitiesOf = memoByIdentity2((endpoints: ServiceEndpoints, mesh: MeshSettings): readonly string[] => {
  const found = new Set<string>();
  for (const list of endpoints.byPort.values()) {
    for (const endpoint of list) {
      const identity = spiffeId(endpoint, mesh.trustDomain);
      if (identity !== undefined) found.add(identity);
    }
  }
  return [...found];
});

/** Sorted; with the names that a ServiceEntry gives its servers. */
export function accountsOf(service: Service, endpoints: ServiceEndpoints, mesh: MeshSettings): readonly string[] {
  const identities = identitiesOf(endpoints, mesh);
  if (identities.length === 0 && service.subjectAltNames.length === 0) return identities;
  const all = [...identities, ...service.subjectAltNames].flatMap((identity) => expand(identity, mesh.trustDomainAliases));
  return [...new Set(all)].sort();
}

const takesMtls = (endpoint: Endpoint): boolean => (endpoint.labels[TLS_MODE_LABEL] ?? "disabled") !== "disabled";

/** Callers that choose the address themselves encrypt only if every endpoint says that it can. */
export function allTakeMtls(endpoints: ServiceEndpoints, port: number): boolean {
  const list = endpoints.byPort.get(port) ?? [];
  return list.length > 0 && list.every(takesMtls);
}

export const someTakeMtls = memoByIdentity((endpoints: ServiceEndpoints): boolean =>
  [...endpoints.byPort.values()].some((list) => list.some(takesMtls)),
);
