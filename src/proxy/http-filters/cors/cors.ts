// Envoy's CORS filter: answers preflights of allowed origins, and says on other answers who may read them.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter
import type { HttpFilterConfig } from "../../config/index.ts";
import { scopedSpec } from "../../observe/stats.ts";
import type { Exchange, Layer, Service } from "../../router/exchange.ts";
import type { CompiledMutation } from "../../router/header-mutation.ts";
import { sendLocal } from "../../router/respond.ts";
import { type FilterContext, routeConfigs } from "../filter-context.ts";
import type { CorsConfig } from "./cors-config.ts";

/** What the levels say together: of each field the most specific one that says something. */
export function mergeCors(levels: readonly CorsConfig[]): CorsConfig | undefined {
  const [first] = levels;
  if (first === undefined) return undefined;
  const some = (pick: (level: CorsConfig) => string): string => levels.map(pick).find((text) => text !== "") ?? "";
  const flag = (pick: (level: CorsConfig) => boolean | undefined): boolean | undefined => levels.map(pick).find((one) => one !== undefined);
  return {
    allowOrigins: levels.find((level) => level.allowOrigins.length > 0)?.allowOrigins ?? [],
    allowMethods: some((level) => level.allowMethods),
    allowHeaders: some((level) => level.allowHeaders),
    exposeHeaders: some((level) => level.exposeHeaders),
    maxAge: some((level) => level.maxAge),
    allowCredentials: flag((level) => level.allowCredentials),
    allowPrivateNetwork: flag((level) => level.allowPrivateNetwork),
    forwardUnmatchedPreflights: flag((level) => level.forwardUnmatchedPreflights),
    enabled: first.enabled,
    shadowed: first.shadowed,
  };
}

/** Only forwarding routes have it: redirects and direct responses answer as they are. */
export function corsLayer(filter: HttpFilterConfig, context: FilterContext): Layer | undefined {
  if (context.route.action.kind !== "forward") return undefined;
  const levels = routeConfigs(filter, context).map((one) => one.config as CorsConfig | undefined);
  const policy = mergeCors(levels.filter((level) => level !== undefined));
  if (policy === undefined || (policy.enabled <= 0 && policy.shadowed <= 0)) return undefined;
  const cors = new CorsPolicy(policy, context);
  return (inner) => (exchange) => cors.handle(exchange, inner);
}

function fixed(name: string, value: string): CompiledMutation {
  return { name, action: "OVERWRITE_IF_EXISTS_OR_ADD", keepEmpty: true, value: () => value };
}

class CorsPolicy {
  private readonly policy: CorsConfig;
  private readonly anyOrigin: boolean;
  private readonly onAnswers: readonly CompiledMutation[];
  private readonly draw: (share: number) => boolean;
  private readonly valid: { value: number };
  private readonly invalid: { value: number };

  constructor(policy: CorsConfig, context: FilterContext) {
    const { env, config } = context.manager;
    const scope = { prefix: "http", tag: "envoy.http_conn_manager_prefix", value: config.statPrefix };
    this.policy = policy;
    this.anyOrigin = policy.allowOrigins.some((matches) => matches("*"));
    this.onAnswers = [
      ...(policy.allowCredentials === true ? [fixed("access-control-allow-credentials", "true")] : []),
      ...(policy.exposeHeaders === "" ? [] : [fixed("access-control-expose-headers", policy.exposeHeaders)]),
    ];
    this.draw = (share) => share >= 1 || (share > 0 && env.rng.random() < share);
    this.valid = env.stats.counter(scopedSpec(scope, "cors.origin_valid"));
    this.invalid = env.stats.counter(scopedSpec(scope, "cors.origin_invalid"));
  }

  handle(exchange: Exchange, inner: Service): void {
    const origin = exchange.head.first("origin") ?? "";
    if (origin === "") {
      inner(exchange);
      return;
    }
    const enforced = this.draw(this.policy.enabled);
    if (!enforced && !this.draw(this.policy.shadowed)) {
      inner(exchange);
      return;
    }
    const allowed = this.anyOrigin || this.policy.allowOrigins.some((matches) => matches(origin));
    (allowed ? this.valid : this.invalid).value++;
    if (!enforced) {
      inner(exchange);
      return;
    }
    const asked = exchange.head.method === "OPTIONS" ? (exchange.head.first("access-control-request-method") ?? "") : "";
    if (asked !== "" && (allowed || this.policy.forwardUnmatchedPreflights === false)) {
      this.answerPreflight(exchange, { origin: allowed ? origin : undefined, method: asked });
      return;
    }
    if (allowed) exchange.addResponseEdits([{ remove: [], add: [fixed("access-control-allow-origin", origin), ...this.onAnswers] }]);
    inner(exchange);
  }

  private answerPreflight(exchange: Exchange, asks: { origin: string | undefined; method: string }): void {
    const { allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge, allowPrivateNetwork } = this.policy;
    let headers = asks.origin === undefined ? "" : `access-control-allow-origin: ${asks.origin}\r\n`;
    // The answer passes the filter's own way back as well.
    if (asks.origin !== undefined && exposeHeaders !== "") headers += `access-control-expose-headers: ${exposeHeaders}\r\n`;
    if (allowCredentials === true) headers += "access-control-allow-credentials: true\r\n";
    if (allowMethods !== "") headers += `access-control-allow-methods: ${allowMethods === "*" ? asks.method : allowMethods}\r\n`;
    if (allowHeaders !== "") {
      const names = allowHeaders === "*" ? (exchange.head.first("access-control-request-headers") ?? "") : allowHeaders;
      headers += `access-control-allow-headers: ${names}\r\n`;
    }
    if (maxAge !== "") headers += `access-control-max-age: ${maxAge}\r\n`;
    if (allowPrivateNetwork === true && exchange.head.first("access-control-request-private-network") === "true")
      headers += "access-control-allow-private-network: true\r\n";
    sendLocal(exchange, { status: 200, body: "", details: "cors_response", flags: 0, headers, close: false });
  }
}
