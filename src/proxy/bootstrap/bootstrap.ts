// Envoy's bootstrap file: who the proxy is, its static config, where its control plane is. What this proxy cannot do is refused by name.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/bootstrap
import { readFile } from "node:fs/promises";
import { SerinError, VERSION } from "../../kit/index.ts";
import type { ClusterConfig, Listener, OverloadConfig, Secret, SocketAddress } from "../config/index.ts";
import { decodeJson } from "../wire/decode-json.ts";
import { Reader } from "../wire/reader.ts";
import { refusalText } from "../wire/refusal.ts";
import type { Values } from "../wire/values.ts";
import { decodeAddress } from "../xds/decode/address.ts";
import { decodeCluster } from "../xds/decode/cluster.ts";
import { checkAds } from "../xds/decode/config-source.ts";
import { localityText } from "../xds/decode/endpoints.ts";
import { decodeListener } from "../xds/decode/listener.ts";
import { decodeSecret } from "../xds/decode/tls.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import type { GrpcTarget } from "../xds/grpc-stream.ts";
import { decodeOverload } from "./overload-manager.ts";
import { readRuntimeLayers } from "./runtime-layers.ts";

export interface Bootstrap {
  readonly node: Values;
  /** `region/zone/sub_zone` of the node; "" = none. */
  readonly locality: string;
  /** Name of the static cluster that the proxy is itself an endpoint of; "" = none. */
  readonly localCluster: string;
  readonly admin: SocketAddress | undefined;
  readonly listeners: readonly Listener[];
  readonly clusters: readonly ClusterConfig[];
  readonly secrets: readonly Secret[];
  readonly ads: AdsSource | undefined;
  readonly overload: OverloadConfig;
  /** What is accepted without effect, in words. */
  readonly warnings: readonly string[];
  /** As it stands in the file. */
  readonly source: Readonly<Record<string, unknown>>;
}

export interface AdsSource {
  readonly delta: boolean;
  readonly target: GrpcTarget;
  readonly listeners: boolean;
  readonly clusters: boolean;
  /** How long the start waits for the first answers; 0 = for ever. */
  readonly timeoutMs: number;
  /** How long a lost stream waits before it is opened again: from `baseMs`, doubled each time, to `maxMs`, fully jittered. */
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number };
}

const RECONNECT_BASE_MS = 250;
const RECONNECT_MAX_MS = 5000;

export async function readBootstrap(file: string): Promise<Bootstrap> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new SerinError("PROXY_BOOTSTRAP_UNREADABLE", `${file}: ${refusalText(cause)}`, {
      cause,
      fix: "Give an Envoy bootstrap file with -c.",
    });
  }
  return decodeBootstrap(await parseFile(file, text), file);
}

async function parseFile(file: string, text: string): Promise<unknown> {
  try {
    if (text.trimStart().startsWith("{")) return JSON.parse(text);
    // Only YAML files pay for the parser.
    const yaml = await import("yaml");
    // Bundled, the package comes as a whole in `default`.
    const { parse } = "default" in yaml ? (yaml.default as typeof yaml) : yaml;
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw invalid(file, cause);
  }
}

function invalid(file: string, cause: unknown): SerinError {
  return new SerinError("PROXY_BOOTSTRAP_INVALID", `${file}: ${refusalText(cause)}`, { cause, fix: "Mend that field, or leave it out." });
}

export function decodeBootstrap(json: unknown, file = "bootstrap"): Bootstrap {
  try {
    return decode(new Reader(decodeJson("envoy.config.bootstrap.v3.Bootstrap", json)), json as Readonly<Record<string, unknown>>);
  } catch (cause) {
    throw invalid(file, cause);
  }
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

function decode(reader: Reader, source: Readonly<Record<string, unknown>>): Bootstrap {
  const adminReader = reader.message("admin");
  const admin = adminReader?.has("address") === true ? decodeAddress(adminReader, "address") : undefined;
  if (admin !== undefined && !LOOPBACK.test(admin.host)) adminReader?.refuse("address", `${admin.host} is not a loopback address`);
  const fixed = reader.message("static_resources");
  const clusters = (fixed?.messages("clusters") ?? []).map(decodeCluster);
  const listeners = (fixed?.messages("listeners") ?? []).map(decodeListener);
  const names = new Set<string>();
  for (const { name } of [...clusters, ...listeners.map((one) => ({ name: `listener ${one.name}` }))]) {
    if (names.has(name)) fixed?.refuse("", `${name} stands twice`);
    names.add(name);
  }
  const manager = reader.message("cluster_manager");
  const localCluster = manager?.text("local_cluster_name") ?? "";
  if (localCluster !== "" && !names.has(localCluster)) manager?.refuse("local_cluster_name", `no static cluster ${localCluster}`);
  const { warnings, maxConnections } = readRuntimeLayers(reader.message("layered_runtime"));
  return {
    node: nodeOf(reader),
    locality: localityText(reader.message("node")?.message("locality")),
    localCluster,
    admin,
    listeners,
    clusters,
    secrets: (fixed?.messages("secrets") ?? []).map(decodeSecret),
    ads: decodeAds(reader.message("dynamic_resources"), clusters),
    overload: decodeOverload(reader.message("overload_manager"), maxConnections),
    warnings,
    source,
  };
}

function nodeOf(reader: Reader): Values {
  return new Map<string, unknown>([
    ...(reader.message("node")?.values ?? []),
    ["user_agent_name", "serin"],
    ["user_agent_version", VERSION],
  ]);
}

function decodeAds(reader: Reader | undefined, clusters: readonly ClusterConfig[]): AdsSource | undefined {
  if (reader === undefined) return undefined;
  const timeouts = (["lds_config", "cds_config"] as const).filter((field) => reader.has(field)).map((field) => checkAds(reader, field));
  const ads = reader.message("ads_config");
  if (ads === undefined) return timeouts.length === 0 ? undefined : reader.refuse("ads_config", "is missing");
  const type = ads.choice<string>("api_type", "DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE");
  if (type !== "GRPC" && type !== "DELTA_GRPC") ads.refuse("api_type", `${type} is not supported`);
  if (ads.choice<string>("transport_api_version", "AUTO") === "V2") ads.refuse("transport_api_version", "V2 is not supported");
  const services = ads.messages("grpc_services");
  const [service] = services;
  const grpc = service?.message("envoy_grpc");
  if (services.length !== 1 || service === undefined || grpc === undefined)
    return ads.refuse("grpc_services", "must be one envoy_grpc service");
  const cluster = clusters.find(({ name }) => name === grpc.text("cluster_name"));
  const address = cluster === undefined ? undefined : grpcAddress(cluster);
  if (cluster === undefined || address === undefined)
    return grpc.refuse("cluster_name", `no static cluster ${grpc.text("cluster_name")} with an endpoint`);
  if (cluster.protocol !== "http2") return grpc.refuse("cluster_name", `cluster ${cluster.name} must speak HTTP/2`);
  if (cluster.transport !== undefined) return grpc.refuse("cluster_name", `cluster ${cluster.name} must be plain text`);
  return {
    delta: type === "DELTA_GRPC",
    target: {
      address,
      authority: grpc.text("authority") === "" ? cluster.name : grpc.text("authority"),
      metadata: service.messages("initial_metadata").map((header) => [header.text("key"), header.text("value")] as const),
    },
    listeners: reader.has("lds_config"),
    clusters: reader.has("cds_config"),
    timeoutMs: timeouts.includes(0) ? 0 : Math.max(0, ...timeouts),
    reconnect: decodeReconnect(grpc.message("retry_policy")?.message("retry_back_off")),
  };
}

/** Envoy's rule: without a maximum it is ten times the base. */
function decodeReconnect(backOff: Reader | undefined): AdsSource["reconnect"] {
  if (backOff === undefined) return { baseMs: RECONNECT_BASE_MS, maxMs: RECONNECT_MAX_MS };
  const baseMs = backOff.number("base_interval", 0);
  if (baseMs <= 0) return backOff.refuse("base_interval", "must be more than 0");
  const maxMs = backOff.number("max_interval", baseMs * 10);
  return maxMs < baseMs ? backOff.refuse("max_interval", "is less than base_interval") : { baseMs, maxMs };
}

/** `host:port` of a static cluster's first endpoint. */
function grpcAddress(cluster: ClusterConfig): string | undefined {
  const endpoint = cluster.endpoints?.endpoints[0];
  if (endpoint === undefined) return undefined;
  if (isSocketPath(endpoint.address))
    return endpoint.address.startsWith("@") ? `unix-abstract:${endpoint.address.slice(1)}` : `unix:${endpoint.address}`;
  return `${endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address}:${endpoint.port}`;
}

/** A static cluster as the target of a gRPC stream; undefined = there is none that could be. */
export function grpcTarget({ clusters }: Bootstrap, name: string): GrpcTarget | undefined {
  const cluster = clusters.find((one) => one.name === name);
  const address =
    cluster === undefined || cluster.protocol !== "http2" || cluster.transport !== undefined ? undefined : grpcAddress(cluster);
  return address === undefined ? undefined : { address, authority: name, metadata: [] };
}
