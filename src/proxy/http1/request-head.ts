// A request head: start line, versions, absolute form, and the refusals that Envoy's codec answers itself.
// https://www.rfc-editor.org/rfc/rfc9112 and what real Envoy answered to raw requests (scenarios/gateways/raw-request-*).
import { bytesOf, examineHead, type HeadEnd, type HeadSource } from "./find-head.ts";
import type { Head } from "./head.ts";
import { dropHopByHop } from "./hop-by-hop.ts";

const METHODS: ReadonlyMap<string, string> = new Map(
  (
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND ACL REPORT " +
    "MKACTIVITY CHECKOUT MERGE NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE"
  )
    .split(" ")
    .map((method) => [method, method]),
);

const SLASH = 47;
const DOT = 46;
/** By byte: 0 = stands in no target, 2 = normalisation looks at it, 1 = any other. */
const TARGET_BYTE = new Uint8Array(256).fill(1, 33, 127);
for (const c of '%\\#"<>^`{|}') TARGET_BYTE[c.charCodeAt(0)] = 2;
const BAD = 0;
const PLAIN = 1;
const SUSPECT = 2;
const BAD_AUTHORITY = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]%]/;
const INVALID_AUTHORITY = "http.invalid_authority";
const VERSION = /^HTTP\/\d\.\d$/;

export interface RequestRules {
  readonly acceptHttp10: boolean;
  readonly allowAbsoluteUrl: boolean;
  readonly maxHeaders: number;
  /** An `https` URL is refused over plain text where the caller's word on that counts for nothing. */
  readonly takesHttpsUrls: boolean;
}

/**
 * Fills `head` with what `findHead` has found in the source. Returns 0, or the status that the codec answers itself, with `head.refusal` saying why. A
 * head that cannot be read as it came is examined: `found` then says more.
 */
export function readRequestHead(head: Head, found: HeadEnd, source: HeadSource, rules: RequestRules): number {
  let status = 0;
  if (!found.bad) status = parse(head, found, bytesOf(found.text, source), rules);
  if (status !== 0 && !found.sure && examineHead(source.bytes).text !== source.bytes)
    status = parse(head, found, bytesOf(found.text, source), rules);
  if (!found.bad) return status;
  head.text = found.text;
  head.end = found.end;
  return refuse(head, 400, "http1.invalid_characters");
}

function parse(head: Head, found: HeadEnd, bytes: Uint8Array, rules: RequestRules): number {
  const { text } = found;
  head.text = text;
  head.end = found.end;
  head.refusal = "http1.codec_error";
  const eol = text.indexOf("\r\n");
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (methodEnd <= 0 || methodEnd > eol || targetEnd <= methodEnd + 1 || targetEnd > eol) return 400;
  const method = METHODS.get(text.slice(0, methodEnd));
  if (method === undefined) return 400;
  head.method = method;
  if (targetEnd + 9 !== eol || !text.startsWith("HTTP/1.1", targetEnd + 1)) {
    if (!VERSION.test(text.slice(targetEnd + 1, eol))) return 400;
    // Whatever is not 1.1 counts as 1.0, as in Envoy.
    head.minor = 0;
    if (!rules.acceptHttp10) return refuse(head, 426, "low_version");
    head.pristine = false;
  } else {
    head.minor = 1;
    head.pristine = true;
  }
  head.path = text.slice(methodEnd + 1, targetEnd);
  const target = lookAtTarget(bytes, methodEnd + 1, targetEnd);
  head.plainPath = target === PLAIN;
  head.scheme = "";
  head.authority = "";
  const status = head.parseLines(bytes, eol + 2, true);
  if (status !== 0) return status;
  if (head.lines > rules.maxHeaders) return refuse(head, 431, "http1.too_many_headers");
  const asksForH2c = head.upgradeRequested && head.upgrade.toLowerCase() === "h2c";
  if ((head.hopByHop || asksForH2c) && !dropHopByHop(head)) return refuse(head, 400, "http1.connection_header_rejected");
  return target === BAD ? 400 : readTarget(head, rules);
}

function lookAtTarget(bytes: Uint8Array, from: number, to: number): typeof BAD | typeof PLAIN | typeof SUSPECT {
  let suspect = false;
  let before = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    const kind = TARGET_BYTE[byte];
    if (kind === BAD) return BAD;
    if (kind === SUSPECT || (before === SLASH && (byte === SLASH || byte === DOT))) suspect = true;
    before = byte;
  }
  return suspect ? SUSPECT : PLAIN;
}

function refuse(head: Head, status: number, why: string): number {
  head.refusal = why;
  return status;
}

function readTarget(head: Head, rules: RequestRules): number {
  const path = head.path;
  if (!isAuthority(head.authority)) return refuse(head, 400, INVALID_AUTHORITY);
  if (head.hosts > 1) head.pristine = false;
  if (head.method === "CONNECT") {
    head.authority = path;
    head.path = "";
    head.pristine = false;
    if (!isAuthority(head.authority)) return refuse(head, 400, INVALID_AUTHORITY);
    return head.contentLength > 0 || head.chunked ? 400 : 0;
  }
  if (path.charCodeAt(0) === SLASH) return 0;
  if (path === "*") return head.method === "OPTIONS" ? 0 : refuse(head, 400, "http1.invalid_url");
  return rules.allowAbsoluteUrl ? readAbsolute(head, rules) : 400;
}

/** The URL's host beats the Host header. */
function readAbsolute(head: Head, rules: RequestRules): number {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^]*)$/i.exec(head.path);
  if (match === null) return 400;
  const [, scheme = "", authority = "", rest = ""] = match;
  head.scheme = scheme.toLowerCase();
  if (head.scheme !== "http" && head.scheme !== "https") return refuse(head, 400, "http1.invalid_scheme");
  if (authority === "" || !isAuthority(authority)) return refuse(head, 400, "http1.invalid_url");
  if (head.scheme === "https" && !rules.takesHttpsUrls) return refuse(head, 403, "http1.https_url_on_plaintext_connection");
  head.authority = authority;
  head.hosts = 1;
  head.path = rest === "" ? "/" : rest.charCodeAt(0) === SLASH ? rest : "/" + rest;
  head.plainPath = false;
  head.pristine = false;
  return 0;
}

// Callers ask for the same few hosts again and again.
let lastAuthority = "";

function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  if (BAD_AUTHORITY.test(text)) return false;
  lastAuthority = text;
  return true;
}
