// ProxyConfig.connectionSettings as written → model. Only what is written down is there.
import { parseDuration } from "../kit/index.ts";
import type { ConnectionSettings } from "../model/index.ts";

type Fields = Readonly<Record<string, unknown>>;

const DURATIONS = {
  httpIdleTimeout: "idleTimeoutMs",
  httpMaxConnectionDuration: "maxConnectionDurationMs",
  httpMaxStreamDuration: "maxStreamDurationMs",
  httpDrainTimeout: "drainTimeoutMs",
  httpRequestTimeout: "requestTimeoutMs",
  httpRequestHeadersTimeout: "requestHeadersTimeoutMs",
  httpStreamIdleTimeout: "streamIdleTimeoutMs",
} as const;
const NUMBERS = {
  listenerPerConnectionBufferLimitBytes: "listenerBufferBytes",
  httpMaxConcurrentStreams: "maxConcurrentStreams",
  http2InitialStreamWindowSize: "streamWindow",
  http2InitialConnectionWindowSize: "connectionWindow",
} as const;
const UNDERSCORES: Fields = {
  HEADERS_WITH_UNDERSCORES_ALLOW: "ALLOW",
  HEADERS_WITH_UNDERSCORES_REJECT_REQUEST: "REJECT_REQUEST",
  HEADERS_WITH_UNDERSCORES_DROP_HEADER: "DROP_HEADER",
};
const SLASHES = ["KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"];

export function toConnectionSettings(spec: Fields): ConnectionSettings {
  const found: Record<string, unknown> = { edge: spec["profile"] === "EDGE" };
  for (const [name, own] of Object.entries(DURATIONS)) {
    const ms = typeof spec[name] === "string" ? parseDuration(spec[name]) : undefined;
    if (ms !== undefined) found[own] = ms;
  }
  for (const [name, own] of Object.entries(NUMBERS)) if (typeof spec[name] === "number") found[own] = spec[name];
  const underscores = UNDERSCORES[String(spec["httpHeadersWithUnderscoresAction"])];
  if (underscores !== undefined) found["headersWithUnderscores"] = underscores;
  const slashes = SLASHES.find((one) => one === spec["httpPathWithEscapedSlashesAction"]);
  if (slashes !== undefined) found["escapedSlashes"] = slashes;
  if (typeof spec["httpMergeSlashes"] === "boolean") found["mergeSlashes"] = spec["httpMergeSlashes"];
  return found as unknown as ConnectionSettings;
}
