// The proxies of the stream benchmark, each passing bytes to one upstream: as TCP, or as WebSocket over HTTP/1.1.
import { bootstrap, cluster, httpManager, type NetworkFilter, typed } from "../bootstrap.ts";
import { type Candidate, envoyLike, haproxy, type Scratch } from "../candidate.ts";

export type StreamKind = "tcp" | "websocket";

function network(kind: StreamKind): NetworkFilter {
  if (kind === "tcp") {
    const config = typed("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", { stat_prefix: "bench", cluster: "up" });
    return { name: "envoy.filters.network.tcp_proxy", typed_config: config };
  }
  return httpManager({
    domain: "*",
    routes: [{ match: { prefix: "/" }, route: { cluster: "up" } }],
    over: { upgrade_configs: [{ upgrade_type: "websocket" }] },
  });
}

export function streamCandidates(scratch: Scratch, upstream: number, kind: StreamKind): readonly Candidate[] {
  return [
    ...envoyLike(scratch, (port) => bootstrap([{ name: "in", port, filter: network(kind) }], [cluster("up", [upstream])])),
    haproxy(scratch, {
      mode: kind === "tcp" ? "tcp" : "http",
      defaults: "  timeout tunnel 60s\n",
      frontend: "  default_backend up\n",
      backends: `backend up\n  server a 127.0.0.1:${upstream}\n`,
    }),
  ];
}
