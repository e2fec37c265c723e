// Envoy's fault filter: some requests wait, some are answered in the upstream's place, some both, in that order.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/fault_filter
import type { HttpFilterConfig } from "../../config/index.ts";
import { FLAG } from "../../observe/response-flags.ts";
import { type Counter, type Gauge, scopedSpec, type Stats } from "../../observe/stats.ts";
import type { Exchange, Layer, Service } from "../../router/exchange.ts";
import { matchesHeader } from "../../router/match.ts";
import { respond } from "../../router/respond.ts";
import { type FilterContext, routeConfigs } from "../filter-context.ts";
import { delayRequest } from "./delay.ts";
import type { AbortStatus, FaultConfig, FaultShare } from "./fault-config.ts";

interface FaultStats {
  readonly delays: Counter;
  readonly aborts: Counter;
  readonly overflow: Counter;
  /** Requests that were delayed and are not over. */
  readonly active: Gauge;
}

function faultStats(stats: Stats, statPrefix: string): FaultStats {
  const scope = { prefix: "http", tag: "envoy.http_conn_manager_prefix", value: statPrefix };
  return {
    delays: stats.counter(scopedSpec(scope, "fault.delays_injected")),
    aborts: stats.counter(scopedSpec(scope, "fault.aborts_injected")),
    overflow: stats.counter(scopedSpec(scope, "fault.faults_overflow")),
    active: stats.gauge(scopedSpec(scope, "fault.active_faults")),
  };
}

/** Digits only; undefined = the header is missing or no number. Of repeated ones the first counts. */
function numberIn(exchange: Exchange, header: string): number | undefined {
  const text = exchange.head.first(header);
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** Redirects and direct responses have faults too. */
export function faultLayer(filter: HttpFilterConfig, context: FilterContext): Layer | undefined {
  const config = (routeConfigs(filter, context)[0]?.config ?? filter.config) as FaultConfig | undefined;
  if (config === undefined || (config.delay === undefined && config.abort === undefined)) return undefined;
  const fault = new Fault(config, context);
  return (inner) => (exchange) => fault.handle(exchange, inner);
}

class Fault {
  private readonly config: FaultConfig;
  private readonly context: FilterContext;
  private readonly stats: FaultStats;
  private readonly random: () => number;

  constructor(config: FaultConfig, context: FilterContext) {
    const { env, config: manager } = context.manager;
    this.config = config;
    this.context = context;
    this.stats = faultStats(env.stats, manager.statPrefix);
    this.random = () => env.rng.random();
  }

  handle(exchange: Exchange, inner: Service): void {
    if (!this.isMeant(exchange)) {
      inner(exchange);
      return;
    }
    const delayMs = this.drawDelay(exchange);
    if (delayMs > 0 && this.mayStrike()) {
      exchange.flags |= FLAG.DI;
      this.stats.delays.value++;
      this.stats.active.value++;
      exchange.whenOver(() => this.stats.active.value--);
      delayRequest(exchange, delayMs, (released) => this.abortOrGoOn(released, inner, true));
      return;
    }
    this.abortOrGoOn(exchange, inner, false);
  }

  private isMeant(exchange: Exchange): boolean {
    const { headers, downstreamNodes, upstreamCluster } = this.config;
    if (!headers.every((one) => matchesHeader(one, exchange.head))) return false;
    if (downstreamNodes.size > 0 && !downstreamNodes.has(exchange.head.first("x-envoy-downstream-service-node") ?? "")) return false;
    return upstreamCluster === "" || this.context.clusterFor(exchange) === upstreamCluster;
  }

  private mayStrike(): boolean {
    const { maxActive } = this.config;
    if (maxActive === undefined || this.stats.active.value < maxActive) return true;
    this.stats.overflow.value++;
    return false;
  }

  private strikes(exchange: Exchange, share: FaultShare, header: string | undefined): boolean {
    // A request can lower its own risk, not raise it.
    const asked = header === undefined ? undefined : numberIn(exchange, header);
    const numerator = asked === undefined ? share.numerator : Math.min(asked, share.numerator);
    return numerator > 0 && (numerator >= share.denominator || this.random() * share.denominator < numerator);
  }

  /** Milliseconds; 0 = none. */
  private drawDelay(exchange: Exchange): number {
    const { delay } = this.config;
    if (delay === undefined) return 0;
    if (delay.fixedMs !== undefined) return this.strikes(exchange, delay.share, undefined) ? delay.fixedMs : 0;
    if (!this.strikes(exchange, delay.share, "x-envoy-fault-delay-request-percentage")) return 0;
    return numberIn(exchange, "x-envoy-fault-delay-request") ?? 0;
  }

  private drawAbort(exchange: Exchange): AbortStatus | undefined {
    const { abort } = this.config;
    if (abort === undefined) return undefined;
    if (abort.fixed !== undefined) return this.strikes(exchange, abort.share, undefined) ? abort.fixed : undefined;
    if (!this.strikes(exchange, abort.share, "x-envoy-fault-abort-request-percentage")) return undefined;
    const httpStatus = numberIn(exchange, "x-envoy-fault-abort-request");
    if (httpStatus !== undefined && httpStatus >= 200 && httpStatus < 600) return { httpStatus, grpcStatus: undefined };
    const grpcStatus = numberIn(exchange, "x-envoy-fault-abort-grpc-request");
    return grpcStatus === undefined ? undefined : { httpStatus: 200, grpcStatus };
  }

  private abortOrGoOn(exchange: Exchange, inner: Service, counted: boolean): void {
    const abort = this.drawAbort(exchange);
    if (abort === undefined || (!counted && !this.mayStrike())) {
      inner(exchange);
      return;
    }
    this.stats.aborts.value++;
    this.context.beginAction(exchange);
    respond(exchange, { kind: "fault_abort", ...abort });
  }
}
