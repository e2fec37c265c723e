// The running config as Envoy's /config_dump: what was accepted with its version, and what was refused since, with the reason.
// The descriptors that print a message are loaded at the first dump: an idle proxy does without them.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
import { redact } from "./redact.ts";
import type { Entry, ResourceStore } from "../xds/resource-store.ts";
import { type ResourceType, TYPES } from "../xds/resource-types.ts";

export interface DumpOptions {
  readonly store: ResourceStore;
  /** Of secrets that come by other streams. */
  readonly secretStores: readonly ResourceStore[];
  readonly bootstrap: Readonly<Record<string, unknown>>;
  readonly warmingClusters: ReadonlySet<string>;
  readonly warmingListeners: ReadonlySet<string>;
  readonly startedAt: number;
  readonly includeEds: boolean;
}

type Json = Record<string, unknown>;
type Print = (type: ResourceType, bytes: Uint8Array) => Json;

const ADMIN = "type.googleapis.com/envoy.admin.v3";

export async function dumpConfig(options: DumpOptions): Promise<unknown> {
  const { anyToProtoJson, packBytes } = await import("../../envoy-api/index.ts");
  const print: Print = (type, bytes) => anyToProtoJson(packBytes(TYPES[type].url, bytes)) as Json;
  const dump = {
    configs: [
      { "@type": `${ADMIN}.BootstrapConfigDump`, bootstrap: options.bootstrap, last_updated: stamp(options.startedAt) },
      clusters(options, print),
      ...(options.includeEds ? [endpoints(options, print)] : []),
      listeners(options, print),
      routes(options, print),
      secrets(options, print),
      ...extensionConfigs(options, print),
    ],
  };
  return redact(dump);
}

function stamp(at: number): string {
  return new Date(at).toISOString();
}

function fixed(options: DumpOptions, field: "clusters" | "listeners", type: ResourceType): Json[] {
  const resources = (options.bootstrap["static_resources"] ?? options.bootstrap["staticResources"]) as Json | undefined;
  const list = (resources?.[field] ?? []) as Json[];
  return list.map((one) => ({ [type]: { "@type": TYPES[type].url, ...one }, last_updated: stamp(options.startedAt) }));
}

function failureOf(entry: Entry, type: ResourceType, print: Print): Json {
  if (entry.failed === undefined) return { client_status: "ACKED" };
  const { details, version, bytes, at } = entry.failed;
  return {
    error_state: { failed_configuration: tryPrint(type, bytes, print), last_update_attempt: stamp(at), details, version_info: version },
    client_status: "NACKED",
  };
}

/** What was refused may be unprintable. */
function tryPrint(type: ResourceType, bytes: Uint8Array, print: Print): Json {
  try {
    return print(type, bytes);
  } catch {
    // Not the bytes themselves: there may be a key in them.
    return { "@type": TYPES[type].url, unprintable_bytes: bytes.length };
  }
}

function acceptedState(entry: Entry, type: ResourceType, options: { field: string; print: Print }): Json {
  const { accepted } = entry;
  if (accepted === undefined) return {};
  return { version_info: accepted.version, [options.field]: options.print(type, accepted.bytes), last_updated: stamp(accepted.at) };
}

function clusters(options: DumpOptions, print: Print): Json {
  const entries = [...options.store.entries("cluster").values()];
  const toJson = (entry: Entry): Json => ({
    ...acceptedState(entry, "cluster", { field: "cluster", print }),
    ...failureOf(entry, "cluster", print),
  });
  const warming = (entry: Entry): boolean => entry.accepted === undefined || options.warmingClusters.has(entry.name);
  return {
    "@type": `${ADMIN}.ClustersConfigDump`,
    static_clusters: fixed(options, "clusters", "cluster"),
    dynamic_active_clusters: entries.filter((entry) => !warming(entry)).map(toJson),
    dynamic_warming_clusters: entries.filter(warming).map(toJson),
  };
}

function endpoints(options: DumpOptions, print: Print): Json {
  return {
    "@type": `${ADMIN}.EndpointsConfigDump`,
    dynamic_endpoint_configs: [...options.store.entries("endpoint").values()].map((entry) => ({
      ...acceptedState(entry, "endpoint", { field: "endpoint_config", print }),
      ...failureOf(entry, "endpoint", print),
    })),
  };
}

function listeners(options: DumpOptions, print: Print): Json {
  return {
    "@type": `${ADMIN}.ListenersConfigDump`,
    static_listeners: fixed(options, "listeners", "listener"),
    dynamic_listeners: [...options.store.entries("listener").values()].map((entry) => ({
      name: entry.name,
      ...(entry.accepted === undefined
        ? {}
        : {
            [options.warmingListeners.has(entry.name) ? "warming_state" : "active_state"]: acceptedState(entry, "listener", {
              field: "listener",
              print,
            }),
          }),
      ...failureOf(entry, "listener", print),
    })),
  };
}

/** There only where there are some, as in Envoy. */
function extensionConfigs(options: DumpOptions, print: Print): Json[] {
  const entries = [...options.store.entries("extensionConfig").values()];
  if (entries.length === 0) return [];
  const toJson = (entry: Entry): Json => ({
    ...acceptedState(entry, "extensionConfig", { field: "ecds_filter", print }),
    ...failureOf(entry, "extensionConfig", print),
  });
  return [{ "@type": `${ADMIN}.EcdsConfigDump`, ecds_filters: entries.map(toJson) }];
}

/** Their names, versions and certificates; never a key. */
function secrets(options: DumpOptions, print: Print): Json {
  const entries = [options.store, ...options.secretStores].flatMap((store) => [...store.entries("secret").values()]);
  const toJson = (entry: Entry<"secret">): Json => ({
    name: entry.name,
    ...acceptedState(entry, "secret", { field: "secret", print }),
    ...failureOf({ ...entry, failed: entry.failed === undefined ? undefined : { ...entry.failed, bytes: NOTHING } }, "secret", print),
  });
  return {
    "@type": `${ADMIN}.SecretsConfigDump`,
    dynamic_active_secrets: entries.filter(({ accepted }) => accepted !== undefined).map(toJson),
    dynamic_warming_secrets: entries.filter(({ accepted }) => accepted === undefined).map(toJson),
  };
}

const NOTHING = new Uint8Array(0);

/** Virtual hosts of their own are shown in their route configuration, as Envoy does. */
function routes(options: DumpOptions, print: Print): Json {
  const hosts = [...options.store.entries("virtualHost").values()];
  return {
    "@type": `${ADMIN}.RoutesConfigDump`,
    static_route_configs: [],
    dynamic_route_configs: [...options.store.entries("route").values()].map((entry) => {
      const state = acceptedState(entry, "route", { field: "route_config", print });
      const config = state["route_config"] as Json | undefined;
      const own = hosts.filter(({ name, accepted }) => accepted !== undefined && name.startsWith(`${entry.name}/`));
      if (config !== undefined && entry.accepted?.value !== undefined && own.length > 0) {
        const printed = own.map(({ accepted }) => {
          const { "@type": _, ...host } = print("virtualHost", (accepted as { bytes: Uint8Array }).bytes);
          return host;
        });
        config["virtual_hosts"] = [...printed, ...((config["virtual_hosts"] as Json[] | undefined) ?? [])];
      }
      const refused = hosts.find(({ name, failed }) => failed !== undefined && name.startsWith(`${entry.name}/`));
      return { ...state, ...failureOf(entry, "route", print), ...(refused === undefined ? {} : failureOf(refused, "virtualHost", print)) };
    }),
  };
}
