// Envoy's dynamic forward proxy filter: a request for a cluster of names waits until its host has been looked up.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter
import type { HttpFilterConfig } from "../../config/index.ts";
import type { Failure } from "../../observe/failure.ts";
import type { Exchange, Layer, Service } from "../../router/exchange.ts";
import { respond } from "../../router/respond.ts";
import type { Cluster } from "../../upstream/cluster.ts";
import type { CachedName } from "../../upstream/dns/dns-cache.ts";
import type { FilterContext } from "../filter-context.ts";
import { HeldRequest } from "../held-request.ts";

/** Only where a route's action can come to a cluster. */
export function dynamicForwardProxyLayer(_filter: HttpFilterConfig, context: FilterContext): Layer | undefined {
  if (context.route.action.kind !== "forward") return undefined;
  const { clusters } = context.manager.env;
  return (inner) => (exchange) => {
    const cluster = clusters.get(context.clusterFor(exchange));
    if (cluster?.config.type === "DYNAMIC") lookUp(exchange, cluster, { context, inner });
    else inner(exchange);
  };
}

interface Around {
  readonly context: FilterContext;
  readonly inner: Service;
}

function lookUp(exchange: Exchange, cluster: Cluster, { context, inner }: Around): void {
  const refuse = (failure: Failure): void => {
    context.beginAction(exchange);
    respond(exchange, failure);
  };
  const { authority } = exchange;
  if (authority === "") {
    refuse({ kind: "empty_host" });
    return;
  }
  let found: CachedName | undefined;
  const goOn = (): void => {
    if (found === undefined || found.addresses.length === 0) refuse({ kind: "dns_resolution_failure", problem: found?.problem ?? "" });
    else inner(exchange);
  };
  const held = new HeldRequest(exchange, Number.POSITIVE_INFINITY, goOn);
  const load = cluster.loadName(authority, (name) => {
    found = name;
    held.release();
  });
  switch (load.kind) {
    case "known":
      found = load.name;
      goOn();
      break;
    case "waits":
      held.start();
      break;
    case "full":
      refuse({ kind: "dns_cache_overflow" });
      break;
    case "too many wait":
      refuse({ kind: "dns_pending_overflow" });
  }
}
