// Received header blocks against RFC 9113 section 8: which message may hold what, in which order. Reads and checks in one pass.
import { parseLength } from "../http/content-length.ts";
import { Http2Header } from "./header.ts";
import {
  K_AUTHORITY,
  K_CONNECTION,
  K_COOKIE,
  K_FIELD,
  K_HOST,
  K_INVALID,
  K_LENGTH,
  K_METHOD,
  K_NO_TRAILER,
  K_PATH,
  K_PROTOCOL,
  K_PSEUDO,
  K_SCHEME,
  K_STATUS,
  K_UNDERSCORE,
  kindOf,
} from "./header-kind.ts";
import type { ReceivedBlock } from "./stream.ts";

/** Envoy's response code details. */
export const INVALID_FIELD = "http2.invalid.header.field";
export const BAD_MESSAGE = "http2.violation.of.messaging.rule";
export const UNDERSCORE = "http2.unexpected_underscore";

export interface BlockRules {
  readonly underscores: "allow" | "drop" | "reject";
  readonly allowConnect: boolean;
}

export class Block implements ReceivedBlock {
  headers: Http2Header[];
  pseudo = 0;
  method = "";
  path = "";
  scheme = "";
  authority = "";
  protocol = "";
  status = 0;
  contentLength = -1;
  /** Fields left out because of an underscore. */
  dropped = 0;
  private cookies = 0;
  private hosts = 0;
  private host = "";
  private seen = 0;

  constructor(headers: Http2Header[]) {
    this.headers = headers;
  }

  /** Fills the block from `headers`. "" = well-formed, else what is wrong with it. */
  readRequest(rules: BlockRules): string {
    const wrong = this.read(rules.underscores, true);
    if (wrong !== "") return wrong;
    if (this.seen >> (K_STATUS - K_PSEUDO) !== 0) return BAD_MESSAGE;
    if (this.method === "" || (this.protocol !== "" && (this.method !== "CONNECT" || !rules.allowConnect))) return BAD_MESSAGE;
    if (this.method === "CONNECT" && this.protocol === "") {
      if (this.path !== "" || this.scheme !== "" || this.authority === "") return BAD_MESSAGE;
    } else if (this.path === "" || this.scheme === "" || (this.protocol !== "" && this.authority === "")) return BAD_MESSAGE;
    else if (this.path.charCodeAt(0) !== 47 && (this.path !== "*" || this.method !== "OPTIONS")) return BAD_MESSAGE;
    if (this.hosts > 0 && !this.replaceHost()) return BAD_MESSAGE;
    if (this.cookies > 1) this.joinCookies();
    return "";
  }

  /** The pseudo headers of a request whose block was too large, as far as they came. Nothing else of it is kept. */
  readOversized(): void {
    this.read("allow", true);
  }

  /** A response's head. */
  readResponse(): string {
    const wrong = this.read("allow", false);
    if (wrong !== "") return wrong;
    // Switching protocols is for HTTP/1.1 (section 8.6).
    if (this.seen !== 1 << (K_STATUS - K_PSEUDO) || this.status === 101) return BAD_MESSAGE;
    if (this.contentLength >= 0 && (this.status < 200 || this.status === 204)) {
      if (this.status !== 204 || this.contentLength > 0) return BAD_MESSAGE;
      this.headers = this.headers.filter((header) => header.kind !== K_LENGTH);
      this.contentLength = -1;
    }
    return "";
  }

  readTrailers(underscores: BlockRules["underscores"]): string {
    const wrong = this.read(underscores, false);
    if (wrong !== "") return wrong;
    if (this.seen !== 0) return BAD_MESSAGE;
    if (this.headers.some(notInTrailers)) this.headers = this.headers.filter((header) => !notInTrailers(header));
    return "";
  }

  private read(underscores: BlockRules["underscores"], request: boolean): string {
    const { headers } = this;
    for (let i = 0; i < headers.length; i++) {
      const header = headers[i] as Http2Header;
      const kind = kindOf(header);
      if (kind === K_FIELD) continue;
      if (kind >= K_PSEUDO) {
        const bit = 1 << (kind - K_PSEUDO);
        if (this.pseudo !== i || (this.seen & bit) !== 0) return BAD_MESSAGE;
        this.seen |= bit;
        this.pseudo++;
        this.take(kind, header.value);
        continue;
      }
      switch (kind) {
        case K_INVALID:
          return header.name.charCodeAt(0) === 58 ? BAD_MESSAGE : INVALID_FIELD;
        case K_CONNECTION:
          return BAD_MESSAGE;
        case K_UNDERSCORE:
          if (underscores === "reject") return UNDERSCORE;
          if (underscores === "drop") this.dropped++;
          break;
        case K_LENGTH: {
          const length = parseLength(header.value);
          if (length < 0 || this.contentLength >= 0) return BAD_MESSAGE;
          this.contentLength = length;
          break;
        }
        case K_HOST:
          if (!request) break;
          this.hosts++;
          this.host = header.value;
          break;
        case K_COOKIE:
          this.cookies++;
          break;
        default:
      }
    }
    if (this.dropped > 0) this.headers = headers.filter((header) => header.kind !== K_UNDERSCORE);
    return "";
  }

  private take(kind: number, value: string): void {
    switch (kind) {
      case K_METHOD:
        this.method = value;
        break;
      case K_PATH:
        this.path = value;
        break;
      case K_SCHEME:
        this.scheme = value;
        break;
      case K_AUTHORITY:
        this.authority = value;
        break;
      case K_PROTOCOL:
        this.protocol = value;
        break;
      default:
        this.status = Number(value);
    }
  }

  /** One name for the host: what is matched is what is forwarded (section 8.3.1). */
  private replaceHost(): boolean {
    const headers = this.headers.filter((header) => header.kind !== K_HOST);
    this.headers = headers;
    if ((this.seen & (1 << (K_AUTHORITY - K_PSEUDO))) !== 0) return true;
    if (this.hosts > 1) return false;
    this.authority = this.host;
    headers.splice(this.pseudo++, 0, new Http2Header(":authority", this.host));
    return true;
  }

  /** Crumbs of one cookie (section 8.2.3). */
  private joinCookies(): void {
    const { headers } = this;
    const first = headers.findIndex((header) => header.kind === K_COOKIE);
    const value = headers
      .filter((header) => header.kind === K_COOKIE)
      .map((header) => header.value)
      .join("; ");
    this.headers = headers.filter((header, i) => i <= first || header.kind !== K_COOKIE);
    const joined = new Http2Header("cookie", value, (headers[first] as Http2Header).sensitive);
    joined.kind = K_COOKIE;
    this.headers[first] = joined;
  }
}

function notInTrailers(header: Http2Header): boolean {
  const { kind } = header;
  return kind === K_HOST || kind === K_LENGTH || kind === K_COOKIE || kind === K_NO_TRAILER;
}
