// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/grpc_stats/v3/config.proto
import type { GrpcStatsConfig } from "../../../http-filters/grpc-stats/grpc-stats.ts";
import type { Reader } from "../../../wire/reader.ts";

export function decodeGrpcStats(reader: Reader): GrpcStatsConfig {
  const list = reader.message("individual_method_stats_allowlist");
  const services = (list?.messages("services") ?? []).map(
    (service) => [service.text("name"), new Set(service.texts("method_names"))] as const,
  );
  return Object.freeze({
    named: list !== undefined ? new Map(services) : reader.flag("stats_for_all_methods") ? "all" : "none",
    times: reader.flag("enable_upstream_stats"),
    replaceDots: reader.flag("replace_dots_in_grpc_service_name"),
  });
}
