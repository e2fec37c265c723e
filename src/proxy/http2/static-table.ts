// HPACK's static table (RFC 7541 appendix A), and what a header's name says about indexing it.
import { Http2Header } from "./header.ts";

const ENTRIES =
  ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|" +
  ":status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
  "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|" +
  "content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|" +
  "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|" +
  "server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate";

/** From index 1 on. */
export const STATIC: readonly Http2Header[] = [
  new Http2Header("", ""),
  ...ENTRIES.split("|").map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? new Http2Header(text, "") : new Http2Header(text.slice(0, at), text.slice(at + 1));
  }),
];

export const STATIC_LENGTH = 61;

interface StaticName {
  readonly index: number;
  readonly values: Map<string, number>;
}

const NAMES = new Map<string, StaticName>();
STATIC.forEach((entry, index) => {
  if (index === 0) return;
  const known = NAMES.get(entry.name) ?? { index, values: new Map<string, number>() };
  NAMES.set(entry.name, known);
  known.values.set(entry.value, index);
});

/** Values that no second request has. Others that turn out like that are found by counting (`hpack-encoder.ts`). */
const UNIQUE: ReadonlySet<string> = new Set([
  "age",
  "content-length",
  "date",
  "etag",
  "expires",
  "grpc-timeout",
  "if-modified-since",
  "if-none-match",
  "last-modified",
  "location",
  "traceparent",
  "x-b3-spanid",
  "x-b3-traceid",
  "x-envoy-upstream-service-time",
  "x-request-id",
]);

/** Never in a table that several callers share: its size would tell one what another sent. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

/** Larger ones would push all others out. */
const MAX_INDEXED = 1024;

/** Notes in the entry where it stands in the static table, and whether it may be indexed. */
export function noteStatic(entry: Http2Header): void {
  const known = NAMES.get(entry.name);
  entry.staticName = known === undefined ? 0 : known.index;
  entry.staticIndex = known === undefined ? 0 : (known.values.get(entry.value) ?? 0);
  entry.indexed = !entry.sensitive && entry.size <= MAX_INDEXED && !UNIQUE.has(entry.name) && !SECRET.has(entry.name);
}

/** To be sent so that nobody on the way indexes it. */
export function isSecret(entry: Http2Header): boolean {
  return entry.sensitive || SECRET.has(entry.name);
}
