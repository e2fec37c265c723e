// The Envoy bootstrap that Serin and Envoy are both started with: the demo's cookie rule, 90/10 between two clusters of two endpoints.
export interface BootstrapOptions {
  readonly port: number;
  readonly upstreams: readonly number[];
  readonly accessLog: boolean;
  readonly domain: string;
  readonly cookie: string;
  readonly dir: string;
}

const TYPE = "type.googleapis.com/";

function address(port: number): object {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}

function cluster(name: string, ports: readonly number[]): object {
  const protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    lb_policy: "ROUND_ROBIN",
    circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] },
    typed_extension_protocol_options: { [protocol]: { "@type": TYPE + protocol, explicit_http_config: { http_protocol_options: {} } } },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }] },
  };
}

export function envoyBootstrap(options: BootstrapOptions): object {
  const { domain, upstreams } = options;
  const manager = {
    "@type": `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "bench",
    generate_request_id: true,
    normalize_path: true,
    stream_idle_timeout: "0s",
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: { "@type": `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
    ],
    ...(options.accessLog
      ? {
          access_log: [
            {
              name: "envoy.access_loggers.file",
              typed_config: {
                "@type": `${TYPE}envoy.extensions.access_loggers.file.v3.FileAccessLog`,
                path: `${options.dir}/access.log`,
                log_format: { text_format_source: { inline_string: ISTIO_FORMAT } },
              },
            },
          ],
        }
      : {}),
    route_config: {
      name: "bench",
      virtual_hosts: [
        {
          name: domain,
          domains: [domain],
          routes: [
            {
              match: { prefix: "/", headers: [{ name: "cookie", string_match: { safe_regex: { regex: options.cookie } } }] },
              route: { cluster: "v2", timeout: "15s" },
            },
            {
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
            },
          ],
        },
      ],
    },
  };
  return {
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(options.port),
          filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
        },
      ],
      clusters: [cluster("v1", upstreams.slice(0, 2)), cluster("v2", upstreams.slice(2, 4))],
    },
  };
}

/** Istio's default access log. */
export const ISTIO_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% ' +
  '%CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" ' +
  "%UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";
