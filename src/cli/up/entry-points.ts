// What a person can try first: the hosts that gateways serve, and the routes that split by subset.
import type { StoredResource } from "../../admin-api/index.ts";

interface GatewaySpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly servers?: readonly { readonly hosts?: readonly string[]; readonly port?: { readonly protocol?: string } }[];
}

interface UriMatch {
  readonly exact?: string;
  readonly prefix?: string;
}

interface VirtualServiceSpec {
  readonly hosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly {
    readonly match?: readonly { readonly uri?: UriMatch }[];
    readonly route?: readonly { readonly destination?: { readonly host?: string; readonly subset?: string } }[];
  }[];
}

/** Hosts of plain HTTP servers on the default gateway, without namespace prefix. */
export function gatewayHosts(resources: readonly StoredResource[]): string[] {
  const hosts = new Set<string>();
  for (const resource of resources) {
    if (resource.kind !== "Gateway") continue;
    const spec = (resource.spec ?? {}) as GatewaySpec;
    if (spec.selector?.["istio"] !== "ingressgateway") continue;
    for (const server of spec.servers ?? []) {
      if (!/^(HTTP|HTTP2|GRPC)$/i.test(server.port?.protocol ?? "")) continue;
      for (const host of server.hosts ?? []) hosts.add(host.includes("/") ? (host.split("/")[1] ?? host) : host);
    }
  }
  return [...hosts];
}

export interface SplitRoute {
  readonly hosts: readonly string[];
  /** First label of the destination's host. */
  readonly service: string;
  readonly subsets: readonly string[];
}

export function splitRoutes(resources: readonly StoredResource[]): SplitRoute[] {
  const found: SplitRoute[] = [];
  for (const resource of resources) {
    if (resource.kind !== "VirtualService") continue;
    const spec = (resource.spec ?? {}) as VirtualServiceSpec;
    for (const route of spec.http ?? []) {
      const subsets = (route.route ?? []).flatMap(({ destination }) => (destination?.subset === undefined ? [] : [destination.subset]));
      if (subsets.length < 2) continue;
      const service = (route.route?.[0]?.destination?.host ?? "").split(".")[0] ?? "";
      found.push({ hosts: spec.hosts ?? [], service, subsets });
    }
  }
  return found;
}

/** A path that a route of a gateway serves for this host: the first one that a rule names, else the root. */
export function pathFor(host: string, resources: readonly StoredResource[]): string {
  for (const resource of resources) {
    if (resource.kind !== "VirtualService") continue;
    const { hosts = [], gateways = [], http = [] } = (resource.spec ?? {}) as VirtualServiceSpec;
    if (!hosts.includes(host) || gateways.every((gateway) => gateway === "mesh")) continue;
    if (http.some((route) => (route.match ?? []).length === 0)) return "/";
    for (const { uri } of http.flatMap((route) => route.match ?? [])) {
      const path = uri?.exact ?? uri?.prefix;
      if (path !== undefined) return path;
    }
  }
  return "/";
}
