// The Envoy bootstrap that Serin and Envoy are both started with, piece by piece.
/** The demo's service, which the callers ask for. */
export const DOMAIN = "demo4.test1.svc.cluster.local";

export type Protocol = "http1" | "http2";

export interface NetworkFilter {
  readonly name: string;
  readonly typed_config: object;
}

export interface BenchListener {
  readonly name: string;
  readonly port: number;
  readonly filter: NetworkFilter;
}

export interface HttpManagerOptions {
  /** The demo's service where it is left out. */
  readonly domain?: string;
  readonly routes: readonly object[];
  /** Of the virtual host, beside its routes. */
  readonly host?: object;
  /** Before the router. */
  readonly filters?: readonly NetworkFilter[];
  /** What else the connection manager has. */
  readonly over?: object;
}

const TYPE = "type.googleapis.com/";

export function typed(type: string, config: object = {}): object {
  return { "@type": TYPE + type, ...config };
}

export function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

/** A cluster of fixed endpoints; TCP without a protocol. */
export function cluster(name: string, ports: readonly number[], protocol?: Protocol, over: object = {}): object {
  const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    lb_policy: "ROUND_ROBIN",
    circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] },
    ...(protocol === undefined
      ? {}
      : {
          typed_extension_protocol_options: {
            [options]: typed(options, {
              explicit_http_config: protocol === "http1" ? { http_protocol_options: {} } : { http2_protocol_options: {} },
            }),
          },
        }),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }] },
    ...over,
  };
}

/** The HTTP connection manager with one virtual host. */
export function httpManager(options: HttpManagerOptions): NetworkFilter {
  const router = { name: "envoy.filters.http.router", typed_config: typed("envoy.extensions.filters.http.router.v3.Router") };
  const { domain = DOMAIN } = options;
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
      stat_prefix: "bench",
      generate_request_id: true,
      normalize_path: true,
      stream_idle_timeout: "0s",
      http_filters: [...(options.filters ?? []), router],
      route_config: { name: "bench", virtual_hosts: [{ name: domain, domains: [domain], routes: options.routes, ...options.host }] },
      ...options.over,
    }),
  };
}

/** The 90/10 split between the clusters v1 and v2. */
export const SPLIT_ROUTE: object = {
  match: { prefix: "/" },
  route: {
    weighted_clusters: {
      clusters: [
        { name: "v1", weight: 90 },
        { name: "v2", weight: 10 },
      ],
    },
    timeout: "15s",
  },
};

/** v1 and v2 of two endpoints each. */
export function splitClusters(upstreams: readonly number[], protocol: Protocol): readonly object[] {
  return [cluster("v1", upstreams.slice(0, 2), protocol), cluster("v2", upstreams.slice(2, 4), protocol)];
}

/** Istio's default access log, into a file. */
export function accessLog(file: string): object {
  return {
    name: "envoy.access_loggers.file",
    typed_config: typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", {
      path: file,
      log_format: { text_format_source: { inline_string: ISTIO_FORMAT } },
    }),
  };
}

export function bootstrap(listeners: readonly BenchListener[], clusters: readonly object[]): object {
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(0) },
    static_resources: {
      listeners: listeners.map(({ name, port, filter }) => ({ name, address: address(port), filter_chains: [{ filters: [filter] }] })),
      clusters,
    },
  };
}

const ISTIO_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% ' +
  '%CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" ' +
  "%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";
