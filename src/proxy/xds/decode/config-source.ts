// Where another resource comes from: the aggregated stream is the one source this proxy has.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/config_source.proto
import type { Reader } from "../../wire/reader.ts";

const FETCH_TIMEOUT_MS = 15_000;

/** Gives the initial fetch timeout; 0 = for ever. */
export function checkAds(reader: Reader, field: string): number {
  const source = reader.message(field);
  if (source === undefined || (!source.has("ads") && !source.has("self"))) return reader.refuse(field, "must be ads");
  if (source.choice<string>("resource_api_version", "V3") === "V2") source.refuse("resource_api_version", "V2 is not supported");
  return source.number("initial_fetch_timeout", FETCH_TIMEOUT_MS);
}
