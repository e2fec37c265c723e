// One HTTP/1.1 message head on its own latin1 text, strict (RFC 9112): line offsets instead of copies, known names by length and first letter.
// What is forwarded is this text with lines cut out, so what was matched is what is sent.
import type { RequestView } from "../config/index.ts";
import { HeaderList } from "./header-list.ts";

/** Kinds of header lines that somebody treats specially; all others pass untouched. */
export const H_OTHER = 0;
export const H_HOST = 1;
export const H_HOP = 2;
export const H_TE = 3;
export const H_LENGTH = 4;
export const H_CODING = 5;
export const H_UPGRADE = 6;
export const H_CONNECTION = 7;
export const H_EXPECT = 8;
export const H_REQUEST_ID = 9;
export const H_FORWARDED_FOR = 10;
export const H_FORWARDED_PROTO = 11;
export const H_ENVOY = 12;
export const H_SERVER = 13;
export const H_DATE = 14;
export const H_CONTENT_TYPE = 15;
export const H_JOINED = 16;
export const H_CLIENT_CERT = 17;
export const H_SERVICE_TIME = 18;

const MAX_LINES = 256;
const FIELDS = 4;

/** 1 = may stand in a name (RFC 9110 token). */
const TOKEN = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") TOKEN[c.charCodeAt(0)] = 1;

/** Controls that no head may hold. A bare CR or a folded line is found where lines are read. */
// eslint-disable-next-line no-control-regex
const BAD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const BARE_LF = /[^\r]\n/;
const BARE_LF_ALL = /\r?\n/g;
const HEAD_END = /\r?\n\r?\n/;

const NO_NAMES: ReadonlySet<string> = new Set();

export class Head implements RequestView {
  /** The head's text, from the start line to before the empty line's CRLF CRLF. */
  text = "";
  /** Index of the CRLF CRLF. */
  end = 0;
  lines = 0;
  /** Four offsets a line: name, colon, value, end of value. */
  readonly at: Int32Array = new Int32Array(MAX_LINES * FIELDS);
  readonly kind: Uint8Array = new Uint8Array(MAX_LINES);
  /** Indexes of the lines whose kind is not H_OTHER. */
  readonly special: Uint16Array = new Uint16Array(MAX_LINES);
  specials = 0;

  method = "";
  path = "";
  authority = "";
  scheme = "http";
  /** HTTP/1.minor */
  minor = 1;
  status = 0;
  hosts = 0;
  contentLength = -1;
  chunked = false;
  close = false;
  keepAlive = false;
  upgradeRequested = false;
  upgrade = "";
  expect = false;
  requestId = "";
  forwardedFor = "";
  forwardedProto = "";
  contentType = "";
  grpc = false;
  hasDate = false;
  /** `te: trailers` and nothing else. */
  trailersWanted = false;
  underscores = false;
  /** Where the path or the host stands rewritten, the start line must be built anew. */
  pristine = true;
  /** A name whose lines Envoy joins stands there twice. */
  duplicates = false;
  /** `x-envoy-*` names that a caller has no say in: as if they were not there. */
  forged: ReadonlySet<string> = NO_NAMES;
  private joined = 0;

  headerLines(name: string): readonly string[] {
    switch (name) {
      case ":path":
        return [this.path];
      case ":method":
        return [this.method];
      case ":authority":
      case "host":
        return [this.authority];
      case ":scheme":
        return [this.scheme];
      default:
    }
    if (name.charCodeAt(0) === 120) {
      if (name === "x-request-id") return this.requestId === "" ? NONE : [this.requestId];
      if (name === "x-forwarded-proto") return this.forwardedProto === "" ? NONE : [this.forwardedProto];
      if (name === "x-forwarded-for") return this.forwardedFor === "" ? NONE : [this.forwardedFor];
      if (this.forged.has(name)) return NONE;
    }
    let found: string[] | undefined;
    const length = name.length;
    const text = this.text;
    const at = this.at;
    for (let i = 0, o = 0; i < this.lines; i++, o += FIELDS) {
      const start = at[o] as number;
      if ((at[o + 1] as number) - start !== length || !sameName(text, start, name)) continue;
      const value = text.slice(at[o + 2] as number, at[o + 3] as number);
      if (found === undefined) found = [value];
      else if (JOINED_NAMES.has(name)) found[0] += "," + value;
      else found.push(value);
    }
    return found ?? NONE;
  }

  first(name: string): string | undefined {
    return this.headerLines(name)[0];
  }

  valueAt(line: number): string {
    return this.text.slice(this.at[line * FIELDS + 2] as number, this.at[line * FIELDS + 3] as number);
  }

  nameAt(line: number): string {
    return this.text.slice(this.at[line * FIELDS] as number, this.at[line * FIELDS + 1] as number).toLowerCase();
  }

  lineStart(line: number): number {
    return this.at[line * FIELDS] as number;
  }

  /** Just past the line's CRLF. */
  lineEnd(line: number): number {
    return line + 1 < this.lines ? (this.at[(line + 1) * FIELDS] as number) : this.end + 2;
  }

  /** The lines as a list that can be edited, repeated ones joined where Envoy joins them. */
  toList(skip: (kind: number, line: number) => boolean): HeaderList {
    const list = new HeaderList();
    for (let i = 0; i < this.lines; i++) {
      const name = this.nameAt(i);
      const kind = this.kind[i] as number;
      if (skip(kind, i)) continue;
      const value = this.valueAt(i);
      const known = kind === H_OTHER || !JOINED_NAMES.has(name) ? -1 : list.names.indexOf(name);
      if (known >= 0) list.values[known] += "," + value;
      else list.push(name, value);
    }
    return list;
  }

  /** Cuts lines whose name holds an underscore out of the text. */
  dropUnderscores(): void {
    let out = this.text.slice(0, this.lineStart(0));
    for (let i = 0; i < this.lines; i++) if (!this.nameAt(i).includes("_")) out += this.text.slice(this.lineStart(i), this.lineEnd(i));
    const { path, authority, hosts } = this;
    this.text = out + "\r\n";
    this.end = out.length - 2;
    this.parseLines(out.indexOf("\r\n") + 2, true);
    this.path = path;
    this.authority = authority;
    this.hosts = hosts;
  }

  /** Parses the header lines in text[from, end). Returns 0 or an error status. */
  parseLines(from: number, request: boolean): number {
    const text = this.text;
    const end = this.end;
    const at = this.at;
    this.lines = 0;
    this.specials = 0;
    this.hosts = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.upgradeRequested = false;
    this.upgrade = "";
    this.expect = false;
    this.requestId = "";
    this.forwardedFor = "";
    this.forwardedProto = "";
    this.contentType = "";
    this.grpc = false;
    this.hasDate = false;
    this.trailersWanted = false;
    this.underscores = false;
    this.duplicates = false;
    this.joined = 0;
    let p = from;
    let line = 0;
    while (p < end) {
      let c = p;
      let code = text.charCodeAt(c);
      while (TOKEN[code] === 1) {
        if (code === 95) this.underscores = true;
        code = text.charCodeAt(++c);
      }
      if (code !== 58 || c === p) return request ? 400 : 502;
      // The first CR ends the line: one that no LF follows is refused, and a line that starts with a blank has no name.
      const stop = text.indexOf("\r", c);
      if (text.charCodeAt(stop + 1) !== 10) return request ? 400 : 502;
      let a = c + 1;
      let b = stop;
      while (a < b && isBlank(text.charCodeAt(a))) a++;
      while (b > a && isBlank(text.charCodeAt(b - 1))) b--;
      if (line >= MAX_LINES) return 431;
      const o = line * FIELDS;
      at[o] = p;
      at[o + 1] = c;
      at[o + 2] = a;
      at[o + 3] = b;
      const kind = request ? requestKind(text, p, c - p) : responseKind(text, p, c - p);
      this.kind[line] = kind;
      if (kind !== H_OTHER) {
        this.special[this.specials++] = line;
        if (kind === H_JOINED) {
          // The joined names all differ in length.
          const bit = 1 << (c - p);
          if ((this.joined & bit) !== 0) this.duplicates = true;
          this.joined |= bit;
        }
        const status = this.note(kind, text.slice(a, b), request);
        if (status !== 0) return status;
      }
      line++;
      this.lines = line;
      p = stop + 2;
    }
    if (this.chunked && this.contentLength >= 0) return request ? 400 : 502;
    return 0;
  }

  private note(kind: number, value: string, request: boolean): number {
    switch (kind) {
      case H_HOST:
        this.authority = this.hosts++ === 0 ? value : this.authority + "," + value;
        return 0;
      case H_CONNECTION: {
        const lower = value.toLowerCase();
        if (lower === "keep-alive") this.keepAlive = true;
        else if (lower === "close") this.close = true;
        else {
          for (const token of lower.split(",")) {
            const option = token.trim();
            if (option === "close") this.close = true;
            else if (option === "keep-alive") this.keepAlive = true;
            else if (option === "upgrade") this.upgradeRequested = true;
          }
        }
        return 0;
      }
      case H_LENGTH: {
        const length = parseLength(value);
        // Envoy refuses equal doubles too: there is no honest reason for them.
        if (length < 0 || this.contentLength >= 0) return request ? 400 : 502;
        this.contentLength = length;
        return 0;
      }
      case H_CODING:
        if (this.chunked) return request ? 400 : 502;
        if (value.toLowerCase() !== "chunked") return request ? 501 : 502;
        this.chunked = true;
        return 0;
      case H_UPGRADE:
        this.upgrade = this.upgrade === "" ? value : this.upgrade + "," + value;
        return 0;
      case H_EXPECT:
        if (value.toLowerCase() === "100-continue") this.expect = true;
        return 0;
      case H_REQUEST_ID:
        if (this.requestId !== "") this.duplicates = true;
        this.requestId = this.requestId === "" ? value : this.requestId + "," + value;
        return 0;
      case H_FORWARDED_FOR:
        if (this.forwardedFor !== "") this.duplicates = true;
        this.forwardedFor = this.forwardedFor === "" ? value : this.forwardedFor + "," + value;
        return 0;
      case H_FORWARDED_PROTO:
        if (this.forwardedProto !== "") this.duplicates = true;
        this.forwardedProto = this.forwardedProto === "" ? value : this.forwardedProto + "," + value;
        return 0;
      case H_TE:
        this.trailersWanted = value.toLowerCase() === "trailers";
        return 0;
      case H_CONTENT_TYPE:
        if (this.contentType !== "") this.duplicates = true;
        this.contentType = value;
        this.grpc = value.startsWith("application/grpc") && (value.length === 16 || value[16] === "+" || value[16] === ";");
        return 0;
      case H_DATE:
        this.hasDate = true;
        return 0;
      default:
        return 0;
    }
  }
}

const NONE: readonly string[] = Object.freeze([]);

/** Names whose repeated lines become one, joined with a comma, as Envoy does on arrival. */
export const JOINED_NAMES: ReadonlySet<string> = new Set([
  "accept",
  "user-agent",
  "x-request-id",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "content-type",
  "te",
  "expect",
  "grpc-timeout",
  "via",
]);

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** text[at…] equals the lower-case name, ignoring case. */
export function sameName(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const want = name.charCodeAt(i);
    const have = text.charCodeAt(at + i);
    if (have !== want && !(have >= 65 && have <= 90 && have + 32 === want)) return false;
  }
  return true;
}

function requestKind(text: string, at: number, length: number): number {
  switch (length) {
    case 2:
      return sameName(text, at, "te") ? H_TE : H_OTHER;
    case 3:
      return sameName(text, at, "via") ? H_JOINED : H_OTHER;
    case 4:
      return sameName(text, at, "host") ? H_HOST : H_OTHER;
    case 6:
      return sameName(text, at, "expect") ? H_EXPECT : sameName(text, at, "accept") ? H_JOINED : H_OTHER;
    case 7:
      return sameName(text, at, "upgrade") ? H_UPGRADE : H_OTHER;
    case 10:
      if (sameName(text, at, "connection")) return H_CONNECTION;
      return sameName(text, at, "keep-alive") ? H_HOP : sameName(text, at, "user-agent") ? H_JOINED : H_OTHER;
    case 12:
      if (sameName(text, at, "x-request-id")) return H_REQUEST_ID;
      return sameName(text, at, "content-type") ? H_CONTENT_TYPE : sameName(text, at, "grpc-timeout") ? H_JOINED : H_OTHER;
    case 14:
      return sameName(text, at, "content-length") ? H_LENGTH : H_OTHER;
    case 15:
      return sameName(text, at, "x-forwarded-for") ? H_FORWARDED_FOR : envoyKind(text, at);
    case 16:
      return sameName(text, at, "proxy-connection") ? H_HOP : sameName(text, at, "x-forwarded-host") ? H_JOINED : envoyKind(text, at);
    case 17:
      if (sameName(text, at, "transfer-encoding")) return H_CODING;
      return sameName(text, at, "x-forwarded-proto") ? H_FORWARDED_PROTO : envoyKind(text, at);
    case 23:
      return envoyKind(text, at);
    case 24:
      return sameName(text, at, "x-forwarded-client-cert") ? H_CLIENT_CERT : envoyKind(text, at);
    default:
      return length > 8 ? envoyKind(text, at) : H_OTHER;
  }
}

function envoyKind(text: string, at: number): number {
  return (text.charCodeAt(at) | 32) === 120 && (text.charCodeAt(at + 2) | 32) === 101 && sameName(text, at, "x-envoy-") ? H_ENVOY : H_OTHER;
}

function responseKind(text: string, at: number, length: number): number {
  switch (length) {
    case 4:
      return sameName(text, at, "date") ? H_DATE : H_OTHER;
    case 6:
      return sameName(text, at, "server") ? H_SERVER : H_OTHER;
    case 7:
      return sameName(text, at, "upgrade") ? H_UPGRADE : H_OTHER;
    case 10:
      return sameName(text, at, "connection") ? H_CONNECTION : sameName(text, at, "keep-alive") ? H_HOP : H_OTHER;
    case 14:
      return sameName(text, at, "content-length") ? H_LENGTH : H_OTHER;
    case 16:
      return sameName(text, at, "proxy-connection") ? H_HOP : H_OTHER;
    case 17:
      return sameName(text, at, "transfer-encoding") ? H_CODING : H_OTHER;
    case 27:
      return sameName(text, at, "x-envoy-decorator-operation") ? H_ENVOY : H_OTHER;
    case 29:
      return sameName(text, at, "x-envoy-upstream-service-time") ? H_SERVICE_TIME : H_OTHER;
    default:
      return H_OTHER;
  }
}

/** Strict digits; -1 when it is no length. */
function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let n = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}

/** What `findHead` found: `end` < 0 = not complete. */
export interface HeadEnd {
  /** The head's text; lines that ended in a bare LF end in CRLF now. */
  text: string;
  /** Index of the CRLF CRLF in `text`. */
  end: number;
  /** Where the body starts in the bytes. */
  bodyAt: number;
  bad: boolean;
}

const found: HeadEnd = { text: "", end: -1, bodyAt: 0, bad: false };

/** Finds the end of the head in bytes read as latin1, and refuses what no head may hold. The result is shared: use it at once. */
export function findHead(bytes: string): HeadEnd {
  const end = bytes.indexOf("\r\n\r\n");
  found.bad = false;
  found.text = bytes;
  found.end = end;
  found.bodyAt = end + 4;
  const head = end < 0 ? bytes : end + 4 === bytes.length ? bytes : bytes.slice(0, end + 4);
  if (BARE_LF.test(head) || head.charCodeAt(0) === 10) return findLenientHead(bytes);
  if (end >= 0 && BAD.test(head)) found.bad = true;
  return found;
}

// A bare LF ends a line too (RFC 9112 section 2.2, and Envoy's parser takes it): the text is made regular before anybody reads it.
function findLenientHead(bytes: string): HeadEnd {
  const blank = HEAD_END.exec(bytes);
  if (blank === null) {
    found.end = -1;
    return found;
  }
  found.bodyAt = blank.index + blank[0].length;
  found.text = bytes.slice(0, found.bodyAt).replace(BARE_LF_ALL, "\r\n");
  found.end = found.text.length - 4;
  found.bad = BAD.test(found.text);
  return found;
}
