// TLS servers against each other, and TLS that nothing listens to.
import type { Issue } from "../../kit/index.ts";
import { type Gateway, isPassthrough, type MeshSettings, type ServerTls, type Sidecar } from "../../model/index.ts";
import type { Resource } from "../../resources/index.ts";
import { type BoundServer, mergeServers } from "../gateways/merge-servers.ts";
import { selects } from "../names.ts";
import { toIssue } from "./report.ts";

function sameCertificate(a: ServerTls, b: ServerTls): boolean {
  if (a.credentialNames.length > 0 || b.credentialNames.length > 0)
    return a.credentialNames.some((name) => b.credentialNames.includes(name));
  return a.certificates.some((one) =>
    b.certificates.some((other) => one.certificate === other.certificate && one.privateKey === other.privateKey),
  );
}

function certificatesOf({ servers }: Gateway): readonly ServerTls[] {
  return servers.flatMap(({ tls }) => (tls === undefined || isPassthrough(tls) ? [] : [tls]));
}

function find(
  resources: readonly Resource[],
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Resource | undefined {
  return resources.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
}

/** Clients that hold an HTTP/2 connection use it for every host of its certificate, also for those of another Gateway's server. */
export function checkDuplicateCertificates(
  resources: readonly Resource[],
  gateways: readonly Gateway[],
  settings: MeshSettings,
): readonly Issue[] {
  const issues: Issue[] = [];
  const withTls = gateways.filter((gateway) => certificatesOf(gateway).length > 0);
  for (const gateway of withTls) {
    const resource = find(resources, gateway);
    const others = withTls.filter(
      (other) =>
        other !== gateway &&
        selects(gateway.selector, other.selector) &&
        (!settings.scopeGatewayToNamespace || other.namespace === gateway.namespace) &&
        certificatesOf(gateway).some((one) => certificatesOf(other).some((theirs) => sameCertificate(one, theirs))),
    );
    if (resource === undefined || others.length === 0) continue;
    const names = [gateway, ...others].map(({ namespace, name }) => `${namespace}/${name}`).join(" ");
    issues.push(
      toIssue(resource, {
        code: "IST0138",
        severity: "warning",
        message: `Duplicate certificate in multiple gateways [${names}] may cause 404s if clients re-use HTTP2 connections.`,
        fix: "Put their hosts into one Gateway, or give each its own certificate.",
        path: "metadata.name",
      }),
    );
  }
  return issues;
}

/** Names that TLS, or plain HTTP, is chosen by; "" is any. */
function chainNames({ tls, hosts }: BoundServer): readonly string[] {
  if (tls === undefined) return [""];
  if (isPassthrough(tls)) return [];
  return hosts.some(({ host }) => host === "*") ? [""] : [...new Set(hosts.map(({ host }) => host))];
}

interface Overlap {
  readonly server: BoundServer;
  readonly name: string;
  readonly first: BoundServer;
}

/** Plain servers of one address share a chain; every other name leads to the server that has it first. */
function overlapsOf(servers: readonly BoundServer[]): readonly Overlap[] {
  const taken = new Map<string, BoundServer>();
  const overlaps: Overlap[] = [];
  const plain = servers.find(({ tls }) => tls === undefined);
  for (const server of servers) {
    if (server.tls === undefined && server !== plain) continue;
    for (const name of chainNames(server)) {
      const first = taken.get(name);
      if (first === undefined) taken.set(name, server);
      else overlaps.push({ server, name, first });
    }
  }
  return overlaps;
}

/** Servers of one address that a connection cannot be told apart by: the later one gets none. */
export function checkOverlappingServers(resources: readonly Resource[], gateways: readonly Gateway[]): readonly Issue[] {
  const groups = Map.groupBy(gateways, ({ selector }) => JSON.stringify(Object.entries(selector).sort()));
  return [...groups.values()].flatMap((group) =>
    mergeServers(group, (port) => port).listeners.flatMap(({ servers }) =>
      overlapsOf(servers.map(({ server }) => server)).flatMap(({ server, name, first }) => {
        const { gateway, port } = server;
        const resource = find(resources, gateway);
        if (resource === undefined) return [];
        const written = group.find((one) => one.name === gateway.name && one.namespace === gateway.namespace)?.servers ?? [];
        const finding = {
          code: "SERIN0211",
          severity: "warning" as const,
          message: `Server ${port.name} gets no connections for ${name === "" ? "any host" : name} on port ${port.number}: server ${first.port.name} of Gateway ${first.gateway.namespace}/${first.gateway.name} has them.`,
          fix: "Give the TLS servers of a port hosts of their own, none of them `*` beside plain text.",
          path: `spec.servers[${written.indexOf(server)}].hosts`,
        };
        return [toIssue(resource, finding)];
      }),
    ),
  );
}

/** Istio reads it only when told to. */
export function checkIngressTls(resources: readonly Resource[], sidecars: readonly Sidecar[], settings: MeshSettings): readonly Issue[] {
  if (settings.tlsOnSidecarIngress) return [];
  return sidecars.flatMap((sidecar) => {
    const resource = find(resources, sidecar);
    if (resource === undefined) return [];
    return sidecar.ingress.flatMap(({ tls }, index) =>
      tls === undefined
        ? []
        : [
            toIssue(resource, {
              code: "SERIN0212",
              severity: "warning",
              message: "tls of an ingress listener has no effect: as in Istio, it waits for ENABLE_TLS_ON_SIDECAR_INGRESS.",
              fix: "Set ENABLE_TLS_ON_SIDECAR_INGRESS=true for the control plane, and mode DISABLE for the port in a PeerAuthentication.",
              path: `spec.ingress[${index}].tls`,
            }),
          ],
    );
  });
}
