// A request head: start line, versions, absolute form, and the refusals that Envoy's codec answers itself.
// https://www.rfc-editor.org/rfc/rfc9112 and what real Envoy answered to raw requests (scenarios/gateways/raw-request-*).
import type { Head } from "./head.ts";
import { dropHopByHop } from "./hop-by-hop.ts";

const METHODS: ReadonlySet<string> = new Set(
  (
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND UNBIND ACL REPORT " +
    "MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK SOURCE"
  ).split(" "),
);

// eslint-disable-next-line no-control-regex
const BAD_TARGET = /[\x00-\x20\x7f-\xff]/;
const BAD_AUTHORITY = /[^A-Za-z0-9\-._~!$&'()*+,;=:[\]%]/;
const VERSION = /^HTTP\/\d\.\d$/;

export interface RequestRules {
  readonly acceptHttp10: boolean;
  readonly allowAbsoluteUrl: boolean;
  readonly maxHeaders: number;
  /** An `https` URL over plain text is refused. */
  readonly secure: boolean;
}

/** Fills `head` from text[0, end). Returns 0, or the status that the codec answers itself. */
export function parseRequestHead(head: Head, rules: RequestRules): number {
  const text = head.text;
  const eol = text.indexOf("\r\n");
  const methodEnd = text.indexOf(" ");
  const targetEnd = text.indexOf(" ", methodEnd + 1);
  if (methodEnd <= 0 || methodEnd > eol || targetEnd <= methodEnd + 1 || targetEnd > eol) return 400;
  head.method = text.slice(0, methodEnd);
  if (!METHODS.has(head.method)) return 400;
  if (targetEnd + 9 !== eol || !text.startsWith("HTTP/1.1", targetEnd + 1)) {
    if (!VERSION.test(text.slice(targetEnd + 1, eol))) return 400;
    head.minor = 0;
    if (!rules.acceptHttp10 || !text.startsWith("HTTP/1.0", targetEnd + 1)) return 426;
    head.pristine = false;
  } else {
    head.minor = 1;
    head.pristine = true;
  }
  head.path = text.slice(methodEnd + 1, targetEnd);
  head.scheme = "";
  head.authority = "";
  const status = head.parseLines(eol + 2, true);
  if (status !== 0) return status;
  if (head.lines > rules.maxHeaders) return 431;
  const refused = head.hopByHop ? dropHopByHop(head) : 0;
  if (refused !== 0) return refused;
  return readTarget(head, rules);
}

function readTarget(head: Head, rules: RequestRules): number {
  const path = head.path;
  if (BAD_TARGET.test(path)) return 400;
  if (BAD_AUTHORITY.test(head.authority)) return 400;
  if (head.hosts > 1) head.pristine = false;
  if (head.method === "CONNECT") {
    head.authority = path;
    head.path = "";
    head.pristine = false;
    return BAD_AUTHORITY.test(head.authority) || head.contentLength > 0 || head.chunked ? 400 : 0;
  }
  if (path.charCodeAt(0) === 47) return 0;
  if (path === "*") return head.method === "OPTIONS" ? 0 : 400;
  return rules.allowAbsoluteUrl ? readAbsolute(head, rules) : 400;
}

/** The URL's host beats the Host header. */
function readAbsolute(head: Head, rules: RequestRules): number {
  const match = /^(https?):\/\/([^/?#]*)([^]*)$/i.exec(head.path);
  if (match === null) return 400;
  const [, scheme = "", authority = "", rest = ""] = match;
  if (authority === "" || BAD_AUTHORITY.test(authority)) return 400;
  head.scheme = scheme.toLowerCase();
  if (head.scheme === "https" && !rules.secure) return 403;
  head.authority = authority;
  head.hosts = 1;
  head.path = rest === "" ? "/" : rest.charCodeAt(0) === 47 ? rest : "/" + rest;
  head.pristine = false;
  return 0;
}
