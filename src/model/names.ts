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

/** VHDS names a virtual host `ROUTE_CONFIG_NAME/HOST`. */
export function virtualHostResource(routeConfig: string, virtualHost: string): string {
  return `${routeConfig}/${virtualHost}`;
}
