// The bootstrap's overload_manager. What it asks for is done besides this proxy's own defaults; monitors, actions and points that are not known are refused by name.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/overload/v3/overload.proto
import { DEFAULT_OVERLOAD, LOAD_SHED_POINTS, OVERLOAD_ACTIONS, type OverloadConfig, type OverloadTrigger } from "../config/index.ts";
import { type Reader, readTyped } from "../wire/reader.ts";

const MONITORS = ["fixed_heap", "global_downstream_max_connections"] as const;
type Monitor = (typeof MONITORS)[number];
const EXTENSION = "envoy.extensions.resource_monitors";
const PREFIX = { monitor: "envoy.resource_monitors.", action: "envoy.overload_actions.", point: "envoy.load_shed_points." } as const;

/** `maxConnections`: what holds where no monitor says another number. */
export function decodeOverload(reader: Reader | undefined, maxConnections?: number): OverloadConfig {
  if (reader === undefined) return maxConnections === undefined ? DEFAULT_OVERLOAD : Object.freeze({ ...DEFAULT_OVERLOAD, maxConnections });
  const refreshMs = reader.number("refresh_interval", DEFAULT_OVERLOAD.refreshMs);
  if (refreshMs < 1) reader.refuse("refresh_interval", "must be at least 0.001s");
  const limits = new Map<Monitor, number>();
  for (const monitor of reader.messages("resource_monitors")) {
    const name = knownName(monitor, { prefix: PREFIX.monitor, known: MONITORS, taken: limits });
    limits.set(name, LIMIT[name](monitor));
  }
  const named = <T extends string>(
    field: string,
    defaults: Readonly<Record<T, readonly OverloadTrigger[]>>,
    from: { readonly prefix: string; readonly known: readonly T[] },
  ): Record<T, readonly OverloadTrigger[]> => {
    const found = new Map<T, readonly OverloadTrigger[]>();
    for (const one of reader.messages(field)) {
      const name = knownName(one, { ...from, taken: found });
      found.set(name, decodeTriggers(one, limits));
    }
    const all = from.known.map((name) => [name, [...defaults[name], ...(found.get(name) ?? [])]]);
    return Object.fromEntries(all) as Record<T, readonly OverloadTrigger[]>;
  };
  return Object.freeze({
    refreshMs,
    maxHeapBytes: limits.get("fixed_heap"),
    maxConnections: limits.get("global_downstream_max_connections") ?? maxConnections,
    actions: named("actions", DEFAULT_OVERLOAD.actions, { prefix: PREFIX.action, known: OVERLOAD_ACTIONS }),
    shedPoints: named("loadshed_points", DEFAULT_OVERLOAD.shedPoints, { prefix: PREFIX.point, known: LOAD_SHED_POINTS }),
  });
}

function knownName<T extends string>(
  reader: Reader,
  from: { readonly prefix: string; readonly known: readonly T[]; readonly taken: ReadonlyMap<T, unknown> },
): T {
  const text = reader.text("name");
  const name = from.known.find((one) => from.prefix + one === text);
  if (name === undefined) return reader.refuse("name", `${text} is not supported`);
  if (from.taken.has(name)) reader.refuse("name", `${text} stands twice`);
  return name;
}

const LIMIT: Readonly<Record<Monitor, (monitor: Reader) => number>> = {
  fixed_heap: (monitor) => limitOf(monitor, `${EXTENSION}.fixed_heap.v3.FixedHeapConfig`, "max_heap_size_bytes"),
  global_downstream_max_connections: (monitor) =>
    limitOf(monitor, `${EXTENSION}.downstream_connections.v3.DownstreamConnectionsConfig`, "max_active_downstream_connections"),
};

function limitOf(monitor: Reader, type: string, field: string): number {
  const config = readTyped(monitor, "typed_config", type);
  if (config === undefined) return monitor.refuse("typed_config", "is missing");
  const limit = config.number(field, 0);
  return limit > 0 ? limit : config.refuse(field, "must be more than 0");
}

function decodeTriggers(reader: Reader, monitors: ReadonlyMap<Monitor, number>): readonly OverloadTrigger[] {
  const triggers = reader.messages("triggers").map((trigger): OverloadTrigger => {
    const monitor = knownName(trigger, { prefix: PREFIX.monitor, known: MONITORS, taken: new Map() });
    if (!monitors.has(monitor)) trigger.refuse("name", `${PREFIX.monitor}${monitor} is no resource monitor here`);
    const threshold = trigger.message("threshold");
    if (threshold !== undefined) return { monitor, scaling: share(threshold, "value"), saturation: share(threshold, "value") };
    const scaled = trigger.message("scaled");
    if (scaled === undefined) return trigger.refuse("", "has neither threshold nor scaled");
    const between = { monitor, scaling: share(scaled, "scaling_threshold"), saturation: share(scaled, "saturation_threshold") };
    if (between.scaling >= between.saturation) scaled.refuse("scaling_threshold", "must be less than saturation_threshold");
    return between;
  });
  return triggers.length === 0 ? reader.refuse("triggers", "are missing") : triggers;
}

function share(reader: Reader, field: string): number {
  const value = reader.number(field, 0);
  return value < 0 || value > 1 ? reader.refuse(field, "must be from 0 to 1") : value;
}
