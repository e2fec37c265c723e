// Envoy's TCP proxy filter. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto
import type { TcpProxyConfig, TunnelConfig } from "../../config/index.ts";
import { compileFormat } from "../../observe/format.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeAccessLogs } from "./access-log.ts";
import { decodeAdded } from "./mutations.ts";

const HOUR_MS = 3_600_000;

export function decodeTcpProxy(reader: Reader): TcpProxyConfig {
  const cluster = reader.text("cluster");
  const weighted = reader.message("weighted_clusters")?.messages("clusters") ?? [];
  const clusters =
    cluster === "" ? weighted.map((one) => ({ name: one.text("name"), weight: one.number("weight", 0) })) : [{ name: cluster, weight: 1 }];
  if (clusters.length === 0) reader.refuse("", "names no cluster");
  return {
    kind: "tcp",
    statPrefix: reader.text("stat_prefix"),
    clusters,
    sniCluster: false,
    dynamicPort: undefined,
    tunnel: decodeTunnel(reader.message("tunneling_config")),
    maxConnectionDurationMs: reader.number("max_downstream_connection_duration", 0),
    idleTimeoutMs: reader.number("idle_timeout", HOUR_MS),
    maxConnectAttempts: reader.number("max_connect_attempts", 1),
    hashSourceIp: reader.messages("hash_policy").some((policy) => policy.has("source_ip")),
    accessLogs: decodeAccessLogs(reader, "access_log"),
  };
}

function decodeTunnel(reader: Reader | undefined): TunnelConfig | undefined {
  if (reader === undefined) return undefined;
  const hostname = reader.text("hostname");
  if (hostname === "") reader.refuse("hostname", "is empty");
  const format = compileFormat(hostname);
  if (!format.ok) reader.refuse("hostname", format.error);
  const usePost = reader.flag("use_post");
  const postPath = reader.text("post_path");
  if (postPath !== "" && !usePost) reader.refuse("post_path", "needs use_post");
  return { hostname, usePost, postPath: postPath === "" ? "/" : postPath, headers: decodeAdded(reader, "headers_to_add") };
}
