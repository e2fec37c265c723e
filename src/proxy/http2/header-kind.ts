// What a received header field is to the rules of RFC 9113 section 8: found out once for each entry, so that an indexed field costs one comparison.
import type { Http2Header } from "./header.ts";

export const K_FIELD = 1;
/** A name or value that no message may hold (section 8.2.1). */
export const K_INVALID = 2;
/** About the connection, which HTTP/2 has other means for (section 8.2.2). */
export const K_CONNECTION = 3;
export const K_UNDERSCORE = 4;
export const K_LENGTH = 5;
export const K_HOST = 6;
export const K_COOKIE = 7;
/** Frames or routes a message; means nothing as a trailer (RFC 9110 section 6.5.1). */
export const K_NO_TRAILER = 8;
/** From here on: pseudo headers. */
export const K_PSEUDO = 16;
export const K_METHOD = 16;
export const K_PATH = 17;
export const K_SCHEME = 18;
export const K_AUTHORITY = 19;
export const K_PROTOCOL = 20;
export const K_STATUS = 21;

const NAMES = new Map<string, number>([
  [":method", K_METHOD],
  [":path", K_PATH],
  [":scheme", K_SCHEME],
  [":authority", K_AUTHORITY],
  [":protocol", K_PROTOCOL],
  [":status", K_STATUS],
  ["host", K_HOST],
  ["cookie", K_COOKIE],
  ["content-length", K_LENGTH],
  ["connection", K_CONNECTION],
  ["keep-alive", K_CONNECTION],
  ["proxy-connection", K_CONNECTION],
  ["transfer-encoding", K_CONNECTION],
  ["upgrade", K_CONNECTION],
  ["authorization", K_NO_TRAILER],
  ["content-encoding", K_NO_TRAILER],
  ["content-type", K_NO_TRAILER],
  ["trailer", K_NO_TRAILER],
]);

const BAD_NAME = /[^!#$%&'*+\-.^_`|~0-9a-z]/;
/** Controls, and blanks at either end. */
// eslint-disable-next-line no-control-regex
const BAD_VALUE = /[\0-\x08\n-\x1f\x7f]|^[ \t]|[ \t]$/;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** As in an HTTP/1.1 request's target: nothing that would end it there. */
const PATH = /^[\x21-\x7e]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+\-.]*$/;
const AUTHORITY = /^[A-Za-z0-9\-._~!$&'()*+,;=:[\]%]*$/;
const STATUS = /^[1-9]\d\d$/;

function find(entry: Http2Header): number {
  const { name, value } = entry;
  const kind = NAMES.get(name) ?? K_FIELD;
  switch (kind) {
    case K_METHOD:
    case K_PROTOCOL:
      return TOKEN.test(value) ? kind : K_INVALID;
    case K_PATH:
      return PATH.test(value) ? kind : K_INVALID;
    case K_SCHEME:
      return SCHEME.test(value) ? kind : K_INVALID;
    case K_STATUS:
      return STATUS.test(value) ? kind : K_INVALID;
    case K_AUTHORITY:
    case K_HOST:
      return AUTHORITY.test(value) ? kind : K_INVALID;
    case K_CONNECTION:
      return kind;
    default:
  }
  if (BAD_VALUE.test(value)) return K_INVALID;
  if (kind !== K_FIELD) return kind;
  if (name === "" || BAD_NAME.test(name)) return K_INVALID;
  if (name === "te" && value.toLowerCase() !== "trailers") return K_CONNECTION;
  return name.includes("_") ? K_UNDERSCORE : K_FIELD;
}

export function kindOf(entry: Http2Header): number {
  if (entry.kind === 0) entry.kind = find(entry);
  return entry.kind;
}
