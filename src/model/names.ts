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
export const BLACK_HOLE_CLUSTER = "BlackHoleCluster";
export const INBOUND_PASSTHROUGH_CLUSTER = "InboundPassthroughCluster";

/** `outbound_.443_._.cart.store.svc.cluster.local`: an outbound cluster as SNI, and the cluster an AUTO_PASSTHROUGH gateway sends it to. */
export function sniCluster(hostname: string, port: number, subset = ""): string {
  return `outbound_.${port}_.${subset}_.${hostname}`;
}

/** `kubernetes://shop-cert`: a `credentialName` as SDS resource. Names with a scheme of their own are kept. */
export function secretResource(credentialName: string): string {
  return /^(kubernetes|kubernetes-gateway|configmap|invalid):\/\//.test(credentialName) ? credentialName : `kubernetes://${credentialName}`;
}

/** The SDS name of a credential's CA: a secret of its own, `NAME-cacert`, or the CA inside the credential. */
export function caCredential(credentialName: string): string {
  return credentialName.endsWith(CA_SUFFIX) ? credentialName : credentialName + CA_SUFFIX;
}

export const CA_SUFFIX = "-cacert";

/** VHDS names a virtual host `ROUTE_CONFIG_NAME/HOST`. */
export function virtualHostResource(routeConfig: string, virtualHost: string): string {
  return `${routeConfig}/${virtualHost}`;
}
