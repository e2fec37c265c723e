// The proxies of the stream benchmark, each passing bytes to one upstream: as TCP, or as WebSocket over HTTP/1.1.
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Candidate } from "../measure.ts";
import { inPath } from "../proxy/candidates.ts";

export type StreamKind = "tcp" | "websocket";

export interface StreamSetting {
  readonly dir: string;
  readonly port: number;
  readonly upstream: number;
  readonly root: string;
  readonly kind: StreamKind;
}

const TYPE = "type.googleapis.com/";
const address = (port: number): object => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function network(kind: StreamKind): object {
  if (kind === "tcp") {
    const type = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    return { name: "envoy.filters.network.tcp_proxy", typed_config: { "@type": TYPE + type, stat_prefix: "bench", cluster: "up" } };
  }
  const type = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  const router = "envoy.extensions.filters.http.router.v3.Router";
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": TYPE + type,
      stat_prefix: "bench",
      upgrade_configs: [{ upgrade_type: "websocket" }],
      http_filters: [{ name: "envoy.filters.http.router", typed_config: { "@type": TYPE + router } }],
      route_config: {
        name: "bench",
        virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "up" } }] }],
      },
    },
  };
}

function bootstrap(setting: StreamSetting): string {
  return JSON.stringify({
    node: { id: "bench", cluster: "bench" },
    admin: { address: address(0) },
    static_resources: {
      listeners: [{ name: "in", address: address(setting.port), filter_chains: [{ filters: [network(setting.kind)] }] }],
      clusters: [
        {
          name: "up",
          type: "STATIC",
          connect_timeout: "5s",
          load_assignment: {
            cluster_name: "up",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(setting.upstream) } }] }],
          },
        },
      ],
    },
  });
}

function write(setting: StreamSetting, name: string, text: string): string {
  const file = path.join(setting.dir, name);
  writeFileSync(file, text);
  return file;
}

function haproxy(setting: StreamSetting): Candidate {
  const program = inPath("haproxy");
  if (program === undefined)
    return { name: "haproxy", command: undefined, skipped: "Debian's package haproxy is not installed (or set HAPROXY)" };
  const file = write(
    setting,
    "haproxy.cfg",
    `global
  nbthread 1
  maxconn 4000
defaults
  mode ${setting.kind === "tcp" ? "tcp" : "http"}
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 60s
frontend in
  bind 127.0.0.1:${setting.port}
  default_backend up
backend up
  server a 127.0.0.1:${setting.upstream}
`,
  );
  return { name: "haproxy", command: [program, "-f", file] };
}

export function streamCandidates(setting: StreamSetting): readonly Candidate[] {
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
