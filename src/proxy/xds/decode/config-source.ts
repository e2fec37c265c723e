// Where another resource comes from: the aggregated stream, or, for secrets, another gRPC stream.
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

export interface SecretSource {
  readonly source: string;
  readonly timeoutMs: number;
}

/** A secret without a source stands in the bootstrap. */
export function secretSource(reader: Reader, field: string): SecretSource {
  const source = reader.message(field);
  if (source === undefined) return { source: "static", timeoutMs: 0 };
  const api = source.message("api_config_source");
  if (api === undefined) return { source: "ads", timeoutMs: checkAds(reader, field) };
  const type = api.choice<string>("api_type", "DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE");
  if (type !== "GRPC" && type !== "DELTA_GRPC") return api.refuse("api_type", `${type} is not supported`);
  const services = api.messages("grpc_services");
  const cluster = services[0]?.message("envoy_grpc")?.text("cluster_name") ?? "";
  if (services.length !== 1 || cluster === "") return api.refuse("grpc_services", "must be one envoy_grpc service");
  return {
    source: `${type === "GRPC" ? "grpc" : "delta"}:${cluster}`,
    timeoutMs: source.number("initial_fetch_timeout", FETCH_TIMEOUT_MS),
  };
}
