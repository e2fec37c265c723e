// Names of xDS resources, built and parsed in this one file. They are Istio's (pilot/pkg/model/service.go BuildSubsetKey).
export interface SubsetKey {
  readonly direction: "outbound" | "inbound";
  readonly port: number;
  readonly subset: string;
  readonly hostname: string;
}

/** `outbound|80|v2|demo4.test1.svc.cluster.local` */
export function outboundCluster(hostname: string, port: number, subset = ""): string {
  return `outbound|${port}|${subset}|${hostname}`;
}

/** `inbound|8080||` */
export function inboundCluster(targetPort: number): string {
  return `inbound|${targetPort}||`;
}

export function parseSubsetKey(name: string): SubsetKey | undefined {
  const parts = name.split("|");
  const [direction, port, subset, hostname] = parts;
  if (parts.length !== 4 || (direction !== "outbound" && direction !== "inbound")) return undefined;
  return { direction, port: Number(port), subset: subset ?? "", hostname: hostname ?? "" };
}

export const PASSTHROUGH_CLUSTER = "PassthroughCluster";
/** To the host that each request names. */
export const DYNAMIC_CLUSTER = "AllowAnyDynamicDNSCluster";
export const BLACK_HOLE_CLUSTER = "BlackHoleCluster";
export const INBOUND_PASSTHROUGH_CLUSTER = "InboundPassthroughCluster";

/** `outbound_.443_._.cart.store.svc.cluster.local`: an outbound cluster as SNI, and the cluster an AUTO_PASSTHROUGH gateway sends it to. */
export function sniCluster(hostname: string, port: number, subset = ""): string {
  return `outbound_.${port}_.${subset}_.${hostname}`;
}

const SECRET_SCHEMES = /^(?:kubernetes|kubernetes-gateway|configmap):\/\//;
const NO_SECRET = "invalid://";
export const CA_SUFFIX = "-cacert";

/** The SDS name of a `credentialName`: `kubernetes://shop-cert`; names with a scheme are kept. undefined: the workload's own certificate. */
export function certificateSecret(credentialName: string): string | undefined {
  if (credentialName.startsWith("builtin://")) return undefined;
  if (credentialName.startsWith(NO_SECRET)) return NO_SECRET;
  return SECRET_SCHEMES.test(credentialName) ? credentialName : `kubernetes://${credentialName}`;
}

/** The SDS name of its CA: a secret of its own, `NAME-cacert`, or the CA inside the credential. undefined: the mesh's own CA. */
export function caSecret(credentialName: string): string | undefined {
  const name = certificateSecret(credentialName);
  return name === undefined || name === NO_SECRET || name.endsWith(CA_SUFFIX) ? name : name + CA_SUFFIX;
}

export interface SecretName {
  readonly scheme: "kubernetes" | "kubernetes-gateway" | "configmap";
  readonly namespace: string;
  readonly name: string;
  /** `name` without the suffix that asks for the CA; "" when there is none. */
  readonly caOf: string;
}

/** The other way round; `namespace`: of names without one. undefined: it names nothing. */
export function parseSecretName(resource: string, namespace: string): SecretName | undefined {
  const scheme = (["kubernetes", "kubernetes-gateway", "configmap"] as const).find((one) => resource.startsWith(`${one}://`));
  if (scheme === undefined) return undefined;
  const [first = "", second] = resource.slice(scheme.length + 3).split("/");
  if (second === undefined && scheme !== "kubernetes") return undefined;
  const name = second ?? first;
  const owner = second === undefined ? namespace : first;
  if (name === "" || owner === "") return undefined;
  return { scheme, namespace: owner, name, caOf: name.endsWith(CA_SUFFIX) ? name.slice(0, -CA_SUFFIX.length) : "" };
}

/** VHDS names a virtual host `ROUTE_CONFIG_NAME/HOST`. */
export function virtualHostResource(routeConfig: string, virtualHost: string): string {
  return `${routeConfig}/${virtualHost}`;
}
