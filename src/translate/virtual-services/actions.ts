// What a VirtualService rule does with a request → model, durations in milliseconds (Istio virtual_service.proto).
import { parseDuration } from "../../kit/index.ts";
import type { CorsPolicy, Destination, DirectResponse, HeaderOperations, Headers, HttpFault, Mirror, Redirect } from "../../model/index.ts";
import type { Retries, Rewrite, WeightedDestination } from "../../model/index.ts";
import { compareText, resolveHost } from "../names.ts";
import { toStringMatch } from "./matches.ts";
import type { CorsSpec, DestinationSpec, FaultSpec, HeaderOperationsSpec, HeadersSpec, HttpRouteSpec, PercentSpec } from "./spec.ts";
import type { RetriesSpec, WeightedDestinationSpec } from "./spec.ts";

/** Whose names are short names: the namespace of the resource that writes them. */
export interface Home {
  readonly namespace: string;
  readonly domain: string;
}

export function toDestination(spec: DestinationSpec, home: Home): Destination {
  const port = spec.port?.number;
  return {
    host: resolveHost(spec.host ?? "", home.namespace, home.domain),
    subset: spec.subset ?? "",
    port: port === undefined || port === 0 ? undefined : port,
  };
}

/** In the order of their names, so that equal maps make equal config. */
function entries(map: Readonly<Record<string, string>> | undefined): readonly (readonly [string, string])[] {
  return Object.entries(map ?? {}).sort(([a], [b]) => compareText(a, b));
}

function toOperations(spec: HeaderOperationsSpec | undefined): HeaderOperations {
  return { set: entries(spec?.set), add: entries(spec?.add), remove: spec?.remove ?? [] };
}

export function toHeaders(spec: HeadersSpec | undefined): Headers | undefined {
  return spec === undefined ? undefined : { request: toOperations(spec.request), response: toOperations(spec.response) };
}

export function toWeightedDestination(spec: WeightedDestinationSpec, home: Home): WeightedDestination {
  return { destination: toDestination(spec.destination ?? {}, home), weight: spec.weight ?? 0, headers: toHeaders(spec.headers) };
}

export function toRedirect(spec: HttpRouteSpec["redirect"]): Redirect | undefined {
  if (spec === undefined) return undefined;
  return {
    uri: spec.uri,
    authority: spec.authority,
    port: spec.port === 0 ? undefined : spec.port,
    derivePort: spec.derivePort,
    scheme: spec.scheme,
    redirectCode: spec.redirectCode === undefined || spec.redirectCode === 0 ? 301 : spec.redirectCode,
    prefixRewrite: spec.prefixRewrite,
  };
}

export function toDirectResponse(spec: HttpRouteSpec["directResponse"]): DirectResponse | undefined {
  if (spec === undefined) return undefined;
  const { string, bytes } = spec.body ?? {};
  const body =
    string !== undefined ? { text: string } : bytes !== undefined ? { bytes: new Uint8Array(Buffer.from(bytes, "base64")) } : undefined;
  return { status: spec.status, body };
}

export function toRewrite(spec: HttpRouteSpec["rewrite"]): Rewrite | undefined {
  if (spec === undefined) return undefined;
  const regex = spec.uriRegexRewrite;
  return {
    uri: spec.uri,
    authority: spec.authority,
    uriRegexRewrite: regex === undefined ? undefined : { match: regex.match ?? "", rewrite: regex.rewrite ?? "" },
  };
}

function ms(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

export function toRetries(spec: RetriesSpec): Retries {
  return {
    attempts: spec.attempts ?? 0,
    perTryTimeoutMs: ms(spec.perTryTimeout),
    retryOn: spec.retryOn === "" ? undefined : spec.retryOn,
    retryRemoteLocalities: spec.retryRemoteLocalities === true,
    retryIgnorePreviousHosts: spec.retryIgnorePreviousHosts ?? undefined,
    backoffMs: ms(spec.backoff),
  };
}

/** Without a percentage a fault never strikes; only a delay falls back to the old `percent`. */
export function toFault(spec: FaultSpec | undefined): HttpFault | undefined {
  if (spec === undefined) return undefined;
  const { delay, abort } = spec;
  const fixedDelayMs = ms(delay?.fixedDelay);
  return {
    delay:
      delay === undefined || fixedDelayMs === undefined
        ? undefined
        : { fixedDelayMs, percentage: delay.percentage === undefined ? (delay.percent ?? 0) : (delay.percentage.value ?? 0) },
    abort:
      abort === undefined
        ? undefined
        : { httpStatus: abort.httpStatus, grpcStatus: abort.grpcStatus, percentage: abort.percentage?.value ?? 0 },
  };
}

function percentOf(percentage: PercentSpec | undefined, fallback: number): number {
  return percentage === undefined ? fallback : (percentage.value ?? 0);
}

export function toMirrors(spec: HttpRouteSpec, home: Home): readonly Mirror[] {
  if (spec.mirrors !== undefined && spec.mirrors.length > 0) {
    return spec.mirrors.map((mirror) => ({
      destination: toDestination(mirror.destination ?? {}, home),
      percentage: percentOf(mirror.percentage, 100),
    }));
  }
  if (spec.mirror === undefined) return [];
  return [{ destination: toDestination(spec.mirror, home), percentage: percentOf(spec.mirrorPercentage, spec.mirrorPercent ?? 100) }];
}

export function toCorsPolicy(spec: CorsSpec | undefined): CorsPolicy | undefined {
  if (spec === undefined) return undefined;
  const origins = spec.allowOrigins ?? (spec.allowOrigin ?? []).map((origin) => ({ exact: origin }));
  const unmatched = spec.unmatchedPreflights;
  return {
    allowOrigins: origins.map(toStringMatch),
    allowMethods: spec.allowMethods ?? [],
    allowHeaders: spec.allowHeaders ?? [],
    exposeHeaders: spec.exposeHeaders ?? [],
    maxAgeMs: ms(spec.maxAge),
    allowCredentials: spec.allowCredentials ?? undefined,
    unmatchedPreflights: unmatched === "FORWARD" || unmatched === "IGNORE" ? unmatched : undefined,
  };
}
