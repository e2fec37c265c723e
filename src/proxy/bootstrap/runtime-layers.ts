// Envoy's runtime: the keys that Istio's agent sets and that fit what this proxy does anyway are taken, every other one is named in a warning.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime
import type { Reader } from "../wire/reader.ts";

/** Keys whose every value is fine here, because RE2's limit and deprecated fields are not what this proxy goes by. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "re2.max_program_size.error_level",
  "re2.max_program_size.warn_level",
  "envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst",
]);

/** Keys with the one value that this proxy's behaviour has. */
const FIXED: Readonly<Record<string, unknown>> = {
  "envoy.reloadable_features.http_reject_path_with_fragment": false,
};

/** The older way to limit all callers' connections: the overload manager's wins. */
const CONNECTION_LIMIT = "overload.global_downstream_max_connections";

export interface RuntimeKeys {
  readonly maxConnections: number | undefined;
  readonly warnings: readonly string[];
}

/** A later layer's value wins. */
export function readRuntimeLayers(reader: Reader | undefined): RuntimeKeys {
  const warnings: string[] = [];
  let maxConnections: number | undefined;
  for (const layer of reader?.messages("layers") ?? []) {
    for (const [key, value] of Object.entries(flatten(layer.struct("static_layer") ?? {}))) {
      if (WITHOUT_EFFECT.has(key)) continue;
      if (key === CONNECTION_LIMIT && typeof value === "number") {
        maxConnections = value;
        continue;
      }
      if (Object.hasOwn(FIXED, key) && FIXED[key] === value) continue;
      warnings.push(`runtime key ${key} = ${JSON.stringify(value)} has no effect in this proxy`);
    }
  }
  return { maxConnections, warnings };
}

/** Nested objects are the parts of a dotted key. */
function flatten(layer: Readonly<Record<string, unknown>>, prefix = ""): Record<string, unknown> {
  const flat: [string, unknown][] = [];
  for (const [key, value] of Object.entries(layer)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      flat.push(...Object.entries(flatten(value as Readonly<Record<string, unknown>>, `${prefix}${key}.`)));
    else flat.push([prefix + key, value]);
  }
  return Object.fromEntries(flat);
}
