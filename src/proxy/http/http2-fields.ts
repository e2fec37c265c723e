// Header fields that the proxy writes itself. Most say the same again and again: the last one of each name is kept, so that the encoder finds it in its table.
import { Http2Header } from "../http2/header.ts";
import type { HeaderList } from "./header-list.ts";
import { forSmallNumbers } from "./small-numbers.ts";

/** Names come from configs too: of more than so many, none is kept. */
const MAX_KEPT = 512;

const kept = new Map<string, Http2Header>();

/** `name` in lower case. */
export function http2Field(name: string, value: string): Http2Header {
  const last = kept.get(name);
  if (last !== undefined && last.value === value) return last;
  const made = new Http2Header(name, value);
  if (last !== undefined || kept.size < MAX_KEPT) kept.set(name, made);
  return made;
}

/** For a name that HPACK's static table does not have and a value that no other message will have. */
export function uniqueField(name: string, value: string): Http2Header {
  const field = new Http2Header(name, value);
  field.staticIndex = 0;
  return field;
}

/** Of whole milliseconds. */
export const serviceTimeField: (ms: number) => Http2Header = forSmallNumbers(
  (ms) => new Http2Header("x-envoy-upstream-service-time", String(ms)),
);

export const statusField: (status: number) => Http2Header = forSmallNumbers((status) => new Http2Header(":status", String(status)));

const HTTP1_ONLY: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
]);

/** What HTTP/2 has other means for (RFC 9113 section 8.2.2), whoever has set it; the length is said apart. */
export function isHttp1Only(name: string): boolean {
  return HTTP1_ONLY.has(name);
}

export function pushFields(list: HeaderList, out: Http2Header[]): void {
  for (let i = 0; i < list.names.length; i++) {
    const name = list.names[i] as string;
    if (!isHttp1Only(name)) out.push(http2Field(name, list.values[i] as string));
  }
}
