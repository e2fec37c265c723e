// The proxies of the HTTP/2 benchmark, each speaking HTTP/2 on both sides: one host, a 90/10 split over two clusters of two endpoints.
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Candidate } from "../measure.ts";
import { inPath } from "../proxy/candidates.ts";

export interface Http2Setting {
  readonly dir: string;
  readonly port: number;
  readonly upstreams: readonly number[];
  readonly root: string;
}

const TYPE = "type.googleapis.com/";
export const AUTHORITY = "demo4.test1.svc.cluster.local";
const address = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function cluster(name: string, ports: readonly number[]): object {
  const protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name,
    type: "STATIC",
    connect_timeout: "5s",
    lb_policy: "ROUND_ROBIN",
    circuit_breakers: { thresholds: [{ max_connections: 4096, max_pending_requests: 4096, max_requests: 4096 }] },
    typed_extension_protocol_options: {
      [protocol]: { "@type": TYPE + protocol, explicit_http_config: { http2_protocol_options: {} } },
    },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) }] },
  };
}

function bootstrap(setting: Http2Setting): string {
  const { upstreams } = setting;
  const manager = {
    "@type": `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "bench",
    generate_request_id: true,
    normalize_path: true,
    stream_idle_timeout: "0s",
    http_filters: [
      { name: "envoy.filters.http.router", typed_config: { "@type": `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
    ],
    route_config: {
      name: "bench",
      virtual_hosts: [
        {
          name: AUTHORITY,
          domains: [AUTHORITY],
          routes: [
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
  return JSON.stringify({
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(setting.port),
          filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] }],
        },
      ],
      clusters: [cluster("v1", upstreams.slice(0, 2)), cluster("v2", upstreams.slice(2, 4))],
    },
  });
}

function write(setting: Http2Setting, name: string, text: string): string {
  const file = path.join(setting.dir, name);
  writeFileSync(file, text);
  return file;
}

function haproxy(setting: Http2Setting): Candidate {
  const program = inPath("haproxy");
  if (program === undefined)
    return { name: "haproxy", command: undefined, skipped: "Debian's package haproxy is not installed (or set HAPROXY)" };
  const [a = 0, b = 0, c = 0, d = 0] = setting.upstreams;
  const file = write(
    setting,
    "haproxy.cfg",
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend in
  bind 127.0.0.1:${setting.port} proto h2
  unique-id-format %[uuid()]
  http-request set-header x-request-id %[unique-id] unless { req.hdr(x-request-id) -m found }
  acl host hdr(host) -i ${AUTHORITY}
  http-request deny deny_status 404 unless host
  use_backend v2 if { rand(100) lt 10 }
  default_backend v1
backend v1
  balance roundrobin
  server a 127.0.0.1:${a} proto h2
  server b 127.0.0.1:${b} proto h2
backend v2
  balance roundrobin
  server c 127.0.0.1:${c} proto h2
  server d 127.0.0.1:${d} proto h2
`,
  );
  return { name: "haproxy", command: [program, "-f", file] };
}

export function http2Candidates(setting: Http2Setting): readonly Candidate[] {
  const envoy = process.env["ENVOY"] ?? path.join(setting.root, ".cache/envoy/envoy");
  const file = write(setting, `${setting.port}.json`, bootstrap(setting));
  return [
    { name: "serin", command: [process.env["SERIN"] ?? path.join(setting.root, "bin/serin"), "proxy", "-c", file] },
    existsSync(envoy)
      ? { name: "envoy", command: [envoy, "-c", file, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"] }
      : { name: "envoy", command: undefined, skipped: "tools/install-envoy.sh fetches it" },
    haproxy(setting),
  ];
}
