// Who makes the call: a sidecar or a gateway, given by --from or --gateway, or guessed from the host: a gateway when a Gateway serves
// it and no service has that name, else a workload in the service's own namespace.
import { err, ok, type Result } from "../../kit/index.ts";
import { type MeshSnapshot, hostCovers, type ProxyIdentity, type ProxyScope } from "../../model/index.ts";
import type { CurlRequest } from "./curl-args.ts";

export interface CallerOptions {
  /** `app=client,ns=default` */
  readonly from: string | undefined;
  /** `istio=ingressgateway,ns=istio-system` */
  readonly gateway: string | undefined;
}

export function chooseCaller(request: CurlRequest, snapshot: MeshSnapshot, options: CallerOptions): Result<ProxyIdentity> {
  if (options.from !== undefined && options.gateway !== undefined) return err("--from and --gateway exclude each other");
  if (options.gateway !== undefined) return parseCaller("router", options.gateway);
  if (options.from !== undefined) return parseCaller("sidecar", options.from);
  const [name = ""] = request.authority.toLowerCase().split(":");
  const service = snapshot.config.services.find((one) => namesOf(one).includes(name));
  if (service !== undefined)
    return ok(toIdentity("sidecar", { namespace: service.registry === "Kubernetes" ? service.namespace : "default", labels: {} }));
  const gateway = snapshot.config.gateways.find((one) =>
    one.servers.some((server) => server.hosts.some(({ host }) => hostCovers(host, name))),
  );
  if (gateway !== undefined) return ok(toIdentity("router", { namespace: "istio-system", labels: gateway.selector }));
  return ok(toIdentity("sidecar", { namespace: "default", labels: {} }));
}

function namesOf(service: {
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: string;
}): readonly string[] {
  const { hostname, name, namespace } = service;
  return service.registry === "Kubernetes" ? [hostname, name, `${name}.${namespace}`, `${name}.${namespace}.svc`] : [hostname];
}

/** `app=client,ns=default`: labels, and `ns` for the namespace; a lone word is the label `app`. */
function parseCaller(type: "sidecar" | "router", text: string): Result<ProxyIdentity> {
  const labels: Record<string, string> = Object.create(null) as Record<string, string>;
  let namespace = type === "router" ? "istio-system" : "default";
  for (const part of text.split(",").filter((one) => one !== "")) {
    const match = /^([A-Za-z0-9][-A-Za-z0-9_./]*)=([-A-Za-z0-9_.]*)$/.exec(part);
    if (match === null) {
      if (!/^[-A-Za-z0-9_.]+$/.test(part)) return err(`"${part}" is not LABEL=VALUE`);
      labels[type === "router" ? "istio" : "app"] = part;
      continue;
    }
    const [, name = "", value = ""] = match;
    if (name === "ns" || name === "namespace") namespace = value;
    else labels[name] = value;
  }
  return ok(toIdentity(type, { namespace, labels: { ...labels } }));
}

export function toIdentity(
  type: "sidecar" | "router",
  from: { readonly namespace: string; readonly labels: Readonly<Record<string, string>>; readonly scope?: Partial<ProxyScope> },
): ProxyIdentity {
  const { namespace } = from;
  const name = type === "router" ? "gateway" : "client";
  return {
    id: `${type}~240.240.240.240~${name}.${namespace}~${namespace}.svc.cluster.local`,
    type,
    ipAddresses: ["240.240.240.240"],
    name,
    namespace,
    domain: `${namespace}.svc.cluster.local`,
    scope: {
      type,
      namespace,
      labels: from.labels,
      locality: { region: "", zone: "", subZone: "" },
      clusterId: "Kubernetes",
      network: "",
      interceptionMode: "REDIRECT",
      httpProxyPort: undefined,
      proxyConfig: "",
      idleTimeoutMs: undefined,
      sharesHost: false,
      unprivileged: false,
      http10: false,
      virtualHostDiscovery: false,
      secretServer: true,
      bindAddress: "0.0.0.0",
      ...from.scope,
    },
    metadata: {},
  };
}

export function describeCaller(caller: ProxyIdentity): string {
  const labels = Object.entries(caller.scope.labels).map(([name, value]) => `${name}=${value}`);
  const who = caller.type === "router" ? "gateway" : "sidecar";
  return `${who} in namespace ${caller.namespace}${labels.length === 0 ? "" : ` with ${labels.join(",")}`}`;
}
