// Envoy's RouteConfiguration and VirtualHost (inline or by VHDS).
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/vhds
import type { RouteTable, VirtualHost } from "../../config/index.ts";
import { compileRouteTable, duplicateDomain, type RouteTableParts } from "../../router/route-table.ts";
import type { Reader } from "../../wire/reader.ts";
import { checkAds } from "./config-source.ts";
import { decodePerFilter } from "./http-filters/index.ts";
import { decodeMirrors } from "./mirrors.ts";
import { decodeMutations } from "./mutations.ts";
import { decodeRetryPolicy } from "./retry-policy.ts";
import { decodeRoute } from "./route.ts";

/** A route configuration; with `vhds`, more virtual hosts come as resources of their own. */
export interface RouteConfig {
  readonly parts: RouteTableParts;
  readonly vhds: boolean;
  /** How long it waits for its virtual hosts at first; 0 = for ever. */
  readonly vhdsTimeoutMs: number;
}

export function decodeRouteConfig(reader: Reader): RouteConfig {
  const vhds = reader.message("vhds");
  const virtualHosts = reader.messages("virtual_hosts").map(decodeVirtualHost);
  const twice = duplicateDomain(virtualHosts);
  if (twice !== undefined) reader.refuse("virtual_hosts", `domain ${twice} stands twice`);
  return {
    parts: {
      name: reader.text("name"),
      virtualHosts,
      request: decodeMutations(reader, "request"),
      response: decodeMutations(reader, "response"),
      ignorePortInHostMatching: reader.flag("ignore_port_in_host_matching"),
      internalOnlyHeaders: reader.texts("internal_only_headers").map((name) => name.toLowerCase()),
      mostSpecificHeaderMutationsWins: reader.flag("most_specific_header_mutations_wins"),
      mirrors: decodeMirrors(reader),
      perFilter: decodePerFilter(reader),
    },
    vhds: vhds !== undefined,
    vhdsTimeoutMs: vhds === undefined ? 0 : checkAds(vhds, "config_source"),
  };
}

export function decodeInlineTable(reader: Reader): RouteTable {
  if (reader.has("vhds")) reader.refuse("vhds", "is not supported in an inline route configuration");
  return compileRouteTable(decodeRouteConfig(reader).parts);
}

export function decodeVirtualHost(reader: Reader): VirtualHost {
  const name = reader.text("name");
  if (name === "") reader.refuse("name", "is empty");
  const domains = reader.texts("domains");
  for (const [i, domain] of domains.entries()) {
    if (domain === "" || (domain.includes("*") && !/^(?:\*|\*[^*]+|[^*]+\*)$/.test(domain)))
      reader.refuse(`domains[${i}]`, `${JSON.stringify(domain)} is no domain`);
  }
  return {
    name,
    domains,
    routes: reader.messages("routes").map(decodeRoute),
    requireTls: reader.choice("require_tls", "NONE"),
    request: decodeMutations(reader, "request"),
    response: decodeMutations(reader, "response"),
    retry: decodeRetryPolicy(reader.message("retry_policy")),
    mirrors: decodeMirrors(reader),
    includeAttemptCount: reader.flag("include_request_attempt_count"),
    includeAttemptCountInResponse: reader.flag("include_attempt_count_in_response"),
    perFilter: decodePerFilter(reader),
  };
}
