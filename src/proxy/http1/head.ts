// One HTTP/1.1 message head on its own latin1 text, strict (RFC 9112): line offsets instead of copies, known names by length and first letter.
// What is forwarded is this text with lines cut out, so what was matched is what is sent.
import { parseLength } from "../http/content-length.ts";
import {
  H_CLIENT_CERT,
  H_CODING,
  H_CONNECTION,
  H_CONTENT_TYPE,
  H_DATE,
  H_EXPECT,
  H_FORWARDED_FOR,
  H_FORWARDED_PROTO,
  H_ENVOY,
  H_HOP,
  H_HOST,
  H_JOINED,
  H_REFERER,
  H_LENGTH,
  H_OTHER,
  H_REQUEST_ID,
  H_SERVER,
  H_SERVICE_TIME,
  H_TE,
  H_UPGRADE,
  isGrpc,
  JOINED_NAMES,
  joinedBit,
  REQUEST_KINDS,
  RESPONSE_KINDS,
  sameName,
} from "../http/header-kinds.ts";
import { HeaderList } from "../http/header-list.ts";
import { pseudoLines } from "../http/pseudo-lines.ts";
import { isReferer } from "../http/referer.ts";
import { type AnswerHead, type HttpVersion, type LineFilter, type RequestHead, upgradeToken } from "../http/message.ts";
import { begins, isValueByte, NAME_BYTE, NameTable, UNDERSCORE } from "./name-table.ts";

const MAX_LINES = 256;
const FIELDS = 4;
const COLON = 58;
const LETTER_X = 120;
const CR = 13;
const LF = 10;

const ENVOY = Buffer.from("x-envoy-", "latin1");
const REQUEST_NAMES = new NameTable(REQUEST_KINDS, H_OTHER);
const RESPONSE_NAMES = new NameTable(RESPONSE_KINDS, H_OTHER);

const NO_NAMES: ReadonlySet<string> = new Set();

export class Head implements RequestHead, AnswerHead {
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
  plainPath = false;
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
  clientCert = "";
  forwardedProto = "";
  emptyProto = false;
  forwardedPort = "";
  contentType = "";
  grpc = false;
  hasDate = false;
  /** `te: trailers` and nothing else. */
  trailersWanted = false;
  /** There are lines that only concern the caller's connection, beside those that every connection has. */
  hopByHop = false;
  underscores = false;
  /** Why a request is refused, as response code details say it. */
  refusal = "";
  /** `referer` is none and goes no further. */
  badReferer = false;
  /** Names keep their letters' case on the way. */
  keepsCase = false;
  /** Where the path or the host stands rewritten, the start line must be built anew. */
  pristine = true;
  /** A name whose lines Envoy joins stands there twice. */
  duplicates = false;
  /** `x-envoy-*` names that a caller has no say in: as if they were not there. */
  forged: ReadonlySet<string> = NO_NAMES;
  private joined = 0;

  get version(): HttpVersion {
    return this.minor === 0 ? "HTTP/1.0" : "HTTP/1.1";
  }

  headerLines(name: string): readonly string[] {
    const pseudo = pseudoLines(this, name);
    if (pseudo !== undefined) return pseudo;
    if (this.method !== "" && this.staysBehind(name)) return NONE;
    if (name.charCodeAt(0) === LETTER_X) {
      if (name === "x-request-id") return this.requestId === "" ? NONE : [this.requestId];
      if (name === "x-forwarded-proto") return this.forwardedProto === "" ? NONE : [this.forwardedProto];
      if (name === "x-forwarded-client-cert") return this.clientCert === "" ? NONE : [this.clientCert];
      if (name === "x-forwarded-port" && this.forwardedPort !== "") return [this.forwardedPort];
      if (name === "x-forwarded-for") return this.forwardedFor === "" ? NONE : [this.forwardedFor];
      if (this.forged.has(name)) return NONE;
    }
    let found: string[] | undefined;
    for (let i = 0; i < this.lines; i++) {
      if (!this.isNamed(i, name)) continue;
      const value = this.valueAt(i);
      if (found === undefined) found = [value];
      else if (JOINED_NAMES.has(name)) found[0] += "," + value;
      else found.push(value);
    }
    return found ?? NONE;
  }

  /** A request is matched and forwarded without what concerns its connection only. */
  private staysBehind(name: string): boolean {
    switch (name) {
      case "connection":
      case "upgrade":
        // What asks for another protocol goes with it.
        return upgradeToken(this) === "";
      case "keep-alive":
      case "proxy-connection":
      case "transfer-encoding":
        return true;
      default:
        return false;
    }
  }

  first(name: string): string | undefined {
    if (this.isHeldApart(name)) return this.headerLines(name)[0];
    let found: string | undefined;
    for (let i = 0; i < this.lines; i++) {
      if (!this.isNamed(i, name)) continue;
      if (found === undefined) found = this.valueAt(i);
      else if (JOINED_NAMES.has(name)) found += "," + this.valueAt(i);
    }
    return found;
  }

  /** Other words than the line's own count, or there may be none. */
  private isHeldApart(name: string): boolean {
    const first = name.charCodeAt(0);
    return first === COLON || first === LETTER_X || name === "host" || (this.method !== "" && this.staysBehind(name));
  }

  private isNamed(line: number, name: string): boolean {
    const start = this.lineStart(line);
    return (this.at[line * FIELDS + 1] as number) - start === name.length && sameName(this.text, start, name);
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
  toList(skip: LineFilter): HeaderList {
    const list = new HeaderList();
    if (this.keepsCase) list.spellings = this.spellings();
    for (let i = 0; i < this.lines; i++) {
      const kind = this.kind[i] as number;
      if (skip(kind, i)) continue;
      const name = this.nameAt(i);
      const value = this.valueAt(i);
      const known = (this.duplicates || kind === H_EXPECT) && JOINED_NAMES.has(name) ? list.names.indexOf(name) : -1;
      if (known >= 0) list.values[known] += "," + value;
      else list.push(name, value);
    }
    return list;
  }

  /** The first line of a name says how it is written. */
  private spellings(): Map<string, string> {
    const found = new Map<string, string>();
    for (let i = this.lines - 1; i >= 0; i--) {
      const name = this.text.slice(this.at[i * FIELDS] as number, this.at[i * FIELDS + 1] as number);
      found.set(name.toLowerCase(), name);
    }
    return found;
  }

  /** Cuts lines whose name holds an underscore out of the text. */
  dropUnderscores(): void {
    this.keepLines((line) => !this.nameAt(line).includes("_"), "");
  }

  /** As if nothing had come. */
  blank(): void {
    this.text = "\r\n\r\n";
    this.end = 0;
    this.parseLines(bytesOf(this.text), 2, true);
    this.method = "";
    this.path = "";
    this.plainPath = false;
    this.authority = "";
    this.scheme = "";
    this.minor = 1;
  }

  /** A request's text without the other lines, and with lines added; read again. */
  keepLines(keep: (line: number) => boolean, added: string): void {
    let out = this.text.slice(0, this.lineStart(0));
    for (let i = 0; i < this.lines; i++) if (keep(i)) out += this.text.slice(this.lineStart(i), this.lineEnd(i));
    out += added;
    const { path, authority, hosts } = this;
    this.text = out + "\r\n";
    this.end = out.length - 2;
    this.parseLines(bytesOf(this.text), out.indexOf("\r\n") + 2, true);
    this.path = path;
    this.authority = authority;
    this.hosts = hosts;
  }

  /** Parses the header lines in text[from, end), whose bytes are at the same places in `bytes`. Returns 0 or an error status. */
  parseLines(bytes: Uint8Array, from: number, request: boolean): number {
    const { text, end, at, special } = this;
    const kinds = this.kind;
    const names = request ? REQUEST_NAMES : RESPONSE_NAMES;
    const broken = request ? 400 : 502;
    this.forget();
    let p = from;
    let line = 0;
    let specials = 0;
    let seen = 0;
    while (p < end) {
      let c = p;
      for (;;) {
        const byte = bytes[c] as number;
        // Most are lower-case letters, which need no look at the table.
        if (byte < 97 || byte > 122) {
          const letter = NAME_BYTE[byte] as number;
          if (letter === 0) break;
          seen |= letter;
        }
        c++;
      }
      if (bytes[c] !== COLON || c === p) return broken;
      let a = c + 1;
      while (isBlank(bytes[a] as number)) a++;
      // The first CR ends the line: one that no LF follows is refused, and a line that starts with a blank has no name.
      let stop = a;
      while (isValueByte(bytes[stop] as number)) stop++;
      if (bytes[stop] !== CR || bytes[stop + 1] !== LF) return broken;
      let b = stop;
      while (b > a && isBlank(bytes[b - 1] as number)) b--;
      if (line >= MAX_LINES) return 431;
      const o = line * FIELDS;
      at[o] = p;
      at[o + 1] = c;
      at[o + 2] = a;
      at[o + 3] = b;
      let kind = names.kindOf(bytes, p, c);
      if (kind === H_OTHER && request && c - p > ENVOY.length && begins(bytes, p, ENVOY)) kind = H_ENVOY;
      kinds[line] = kind;
      if (kind !== H_OTHER) {
        special[specials++] = line;
        if (kind >= H_JOINED) {
          const bit = joinedBit(kind);
          if ((this.joined & bit) !== 0) this.duplicates = true;
          this.joined |= bit;
          if (kind === H_REFERER && !isReferer(text.slice(a, b))) this.badReferer = true;
        } else {
          const status = this.note(kind, a, b, request);
          if (status !== 0) return status;
        }
      }
      line++;
      p = stop + 2;
    }
    this.lines = line;
    this.specials = specials;
    this.underscores = (seen & UNDERSCORE) !== 0;
    if (this.chunked && this.contentLength >= 0) {
      this.refusal = "http1.content_length_and_chunked_not_allowed";
      return request ? 400 : 502;
    }
    return 0;
  }

  private forget(): void {
    this.lines = 0;
    this.specials = 0;
    this.hosts = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    this.upgradeRequested = false;
    this.hopByHop = false;
    this.upgrade = "";
    this.expect = false;
    this.requestId = "";
    this.forwardedFor = "";
    this.clientCert = "";
    this.forwardedProto = "";
    this.emptyProto = false;
    this.forwardedPort = "";
    this.contentType = "";
    this.grpc = false;
    this.hasDate = false;
    this.trailersWanted = false;
    this.badReferer = false;
    this.duplicates = false;
    this.joined = 0;
  }

  private note(kind: number, from: number, to: number, request: boolean): number {
    switch (kind) {
      case H_DATE:
        this.hasDate = true;
        return 0;
      case H_SERVER:
      case H_HOP:
      case H_ENVOY:
      case H_SERVICE_TIME:
        return 0;
      default:
    }
    const value = this.text.slice(from, to);
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
            else if (option !== "") this.hopByHop = true;
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
        this.chunked = value.toLowerCase() === "chunked";
        if (this.chunked) return 0;
        this.refusal = "http1.invalid_transfer_encoding";
        return request ? 501 : 502;
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
      case H_CLIENT_CERT:
        if (this.clientCert !== "") this.duplicates = true;
        this.clientCert = this.clientCert === "" ? value : this.clientCert + "," + value;
        return 0;
      case H_FORWARDED_PROTO:
        if (this.forwardedProto !== "") this.duplicates = true;
        this.forwardedProto = this.forwardedProto === "" ? value : this.forwardedProto + "," + value;
        this.emptyProto = this.forwardedProto === "";
        return 0;
      case H_TE:
        this.trailersWanted = value.toLowerCase() === "trailers";
        if (!this.trailersWanted) this.hopByHop = true;
        return 0;
      case H_CONTENT_TYPE:
        if (this.contentType !== "") this.duplicates = true;
        this.contentType = value;
        this.grpc = isGrpc(value);
        return 0;
      default:
        return 0;
    }
  }
}

const NONE: readonly string[] = Object.freeze([]);

function bytesOf(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
