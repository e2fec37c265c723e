// An Envoy bootstrap file (JSON or YAML) as this proxy understands it. Whatever in it the proxy cannot do is refused by name.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto
import {
  type Address,
  ApiConfigSource_ApiType as ApiType,
  type Bootstrap,
  Bootstrap_DynamicResourcesSchema,
  Bootstrap_StaticResourcesSchema,
  BootstrapSchema,
  type Cluster,
  type ConfigSource,
  create,
  fromProtoJson,
  type Node,
  NodeSchema,
} from "../../envoy-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import { DecodeError, guard, refuse } from "../decode/guard.ts";
import { toCluster } from "../decode/cluster.ts";
import { toListener } from "../decode/listener.ts";
import type { StaticPart } from "../client/resource-store.ts";

export interface BootstrapConfig {
  readonly node: Node;
  readonly admin: { readonly host: string; readonly port: number } | undefined;
  readonly ads: { readonly target: string; readonly protocol: "delta" | "sotw" } | undefined;
  readonly statics: StaticPart;
  readonly warnings: readonly string[];
}

/** Runtime keys whose effect is what this proxy does anyway. */
const RUNTIME_KEYS: ReadonlySet<string> = new Set([
  "re2.max_program_size.error_level",
  "re2.max_program_size.warn_level",
  "envoy.reloadable_features.http_reject_path_with_fragment",
  "overload.global_downstream_max_connections",
]);

const FIELDS = {
  used: ["node", "admin", "static_resources", "dynamic_resources", "layered_runtime"],
  inert: ["stats_config", "cluster_manager", "watchdog", "watchdogs", "stats_flush_interval", "use_dns_resolver_config", "header_prefix"],
};

async function parseText(text: string, file: string): Promise<unknown> {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // YAML is a good deal of code: only those who use it pay for it.
    const { parse } = await import("yaml");
    try {
      return parse(text, { maxAliasCount: 100 }) as unknown;
    } catch (error) {
      throw new SerinError(
        "BOOTSTRAP_INVALID",
        `${file} is neither JSON nor YAML: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
}

function addressOf(address: Address | undefined): { host: string; port: number } | undefined {
  const at = address?.address;
  if (at?.case !== "socketAddress") return undefined;
  return { host: at.value.address, port: at.value.portSpecifier.case === "portValue" ? at.value.portSpecifier.value : 0 };
}

function targetOf(clusters: readonly Cluster[], name: string): string {
  const cluster = clusters.find((c) => c.name === name);
  const host = cluster?.loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier;
  const address = host?.case === "endpoint" ? host.value.address : undefined;
  if (address?.address.case === "pipe") return `unix:${address.address.value.path}`;
  const at = addressOf(address);
  return at === undefined
    ? refuse("dynamic_resources.ads_config.grpc_services", `the static cluster ${name} has no usable endpoint`)
    : `${at.host}:${at.port}`;
}

function viaAds(source: ConfigSource | undefined, path: string): void {
  if (source !== undefined && source.configSourceSpecifier.case !== "ads") refuse(path, "only the aggregated stream (ads) is supported");
}

function adsOf(message: Bootstrap): BootstrapConfig["ads"] {
  const dynamic = message.dynamicResources;
  if (dynamic === undefined) return undefined;
  guard(Bootstrap_DynamicResourcesSchema, dynamic, { used: ["ads_config", "cds_config", "lds_config"], path: "dynamic_resources" });
  viaAds(dynamic.cdsConfig, "dynamic_resources.cds_config");
  viaAds(dynamic.ldsConfig, "dynamic_resources.lds_config");
  const ads = dynamic.adsConfig;
  if (ads === undefined) return refuse("dynamic_resources", "has no ads_config");
  const service = ads.grpcServices[0]?.targetSpecifier;
  const clusters = message.staticResources?.clusters ?? [];
  const target =
    service?.case === "envoyGrpc"
      ? targetOf(clusters, service.value.clusterName)
      : service?.case === "googleGrpc"
        ? service.value.targetUri
        : refuse("dynamic_resources.ads_config.grpc_services", "names no control plane");
  const delta = ads.apiType === ApiType.DELTA_GRPC || ads.apiType === ApiType.AGGREGATED_DELTA_GRPC;
  if (!delta && ads.apiType !== ApiType.GRPC && ads.apiType !== ApiType.AGGREGATED_GRPC)
    refuse("dynamic_resources.ads_config.api_type", "only GRPC and DELTA_GRPC are supported");
  return { target, protocol: delta ? "delta" : "sotw" };
}

function staticsOf(message: Bootstrap): StaticPart {
  const resources = message.staticResources;
  if (resources === undefined) return { listeners: new Map(), clusters: new Map() };
  guard(Bootstrap_StaticResourcesSchema, resources, { used: ["listeners", "clusters"], path: "static_resources" });
  return {
    listeners: new Map(resources.listeners.map((l, i) => [l.name || `listener_${i}`, toListener(l)])),
    clusters: new Map(resources.clusters.map((c) => [c.name, toCluster(c)])),
  };
}

function runtimeWarnings(message: Bootstrap): string[] {
  const warnings: string[] = [];
  for (const layer of message.layeredRuntime?.layers ?? []) {
    const kind = layer.layerSpecifier;
    if (kind.case === "adminLayer") continue;
    if (kind.case !== "staticLayer") refuse(`layered_runtime.layers ${layer.name}`, `${kind.case ?? "it"} is not supported`);
    else
      for (const key of Object.keys(kind.value))
        if (!RUNTIME_KEYS.has(key)) warnings.push(`layered_runtime: ${key} has no effect in this proxy`);
  }
  return warnings;
}

export async function parseBootstrap(text: string, file: string): Promise<BootstrapConfig> {
  const json = await parseText(text, file);
  try {
    const message = fromProtoJson(BootstrapSchema, json as never);
    guard(BootstrapSchema, message, { ...FIELDS, path: "bootstrap" });
    return {
      node: message.node ?? create(NodeSchema),
      admin: addressOf(message.admin?.address),
      ads: adsOf(message),
      statics: staticsOf(message),
      warnings: runtimeWarnings(message),
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const fix =
      error instanceof DecodeError
        ? "Take it out, or run this file with real Envoy."
        : "Check the field against Envoy's bootstrap reference.";
    throw new SerinError("BOOTSTRAP_INVALID", `${file}: ${error.message}`, { cause: error, fix });
  }
}
