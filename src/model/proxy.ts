// A proxy as it names itself (Istio's node id and metadata, pkg/model/proxy.go) and the part of it that config may depend on.
import type { Locality } from "./service.ts";

export type ProxyType = "sidecar" | "router";

export interface ProxyIdentity {
  /** `sidecar~IP~POD.NAMESPACE~DOMAIN` */
  readonly id: string;
  readonly type: ProxyType;
  readonly ipAddresses: readonly string[];
  readonly name: string;
  readonly namespace: string;
  /** DNS domain of the proxy, e.g. `test1.svc.cluster.local`. */
  readonly domain: string;
  readonly scope: ProxyScope;
  /** Its metadata's texts: EnvoyFilters ask for them. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Everything about a proxy that its shared config depends on: two proxies with equal scopes share one view (and one set of bytes). */
export interface ProxyScope {
  readonly type: ProxyType;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: Locality;
  readonly clusterId: string;
  readonly network: string;
  /** REDIRECT (listeners do not bind, iptables captures) or NONE (listeners bind). */
  readonly interceptionMode: "REDIRECT" | "TPROXY" | "NONE";
  /** Own explicit HTTP proxy port (metadata HTTP_PROXY_PORT), else MeshConfig's. */
  readonly httpProxyPort: number | undefined;
  /** Metadata PROXY_CONFIG as JSON: the proxy's own ProxyConfig instead of MeshConfig's defaultConfig; "" = none. */
  readonly proxyConfig: string;
  /** Metadata IDLE_TIMEOUT: idle time of TCP connections and of callers' HTTP connections; undefined = Envoy's. */
  readonly idleTimeoutMs: number | undefined;
  /** Metadata HTTP10 = "1": accept HTTP/1.0. */
  readonly http10: boolean;
  /** One of several pods on one address (local ones), so ports of services are not its own to open. Metadata SERIN_SHARED_HOST = "1". */
  readonly sharesHost: boolean;
  /** May not open ports under 1024. Metadata UNPRIVILEGED_POD. */
  readonly unprivileged: boolean;
  /** The client asked by delta ADS: virtual hosts are resources of their own (VHDS). */
  readonly virtualHostDiscovery: boolean;
  /** The proxy has a secret server of its own (cluster `sds-grpc`): its mesh identity, and certificate files. Metadata SERIN_SECRET_SERVER "none". */
  readonly secretServer: boolean;
  /** Addresses the proxy's own listeners bind to ("127.0.0.1" locally, "0.0.0.0" in a pod). Metadata SERIN_BIND. */
  readonly bindAddress: string;
}
