// Heads of HTTP/2 messages as the router reads them: straight on the fields that HPACK decoded. No text is made of them, and what a field is to the
// router is found out once for each entry of the decoder's table.
import type { Http2Header } from "../http2/header.ts";
import type { ReceivedBlock } from "../http2/stream.ts";
import {
  H_CLIENT_CERT,
  H_CONTENT_TYPE,
  H_DATE,
  H_EXPECT,
  H_FORWARDED_FOR,
  H_FORWARDED_PROTO,
  H_JOINED,
  H_REFERER,
  H_OTHER,
  H_REQUEST_ID,
  H_TE,
  isGrpc,
  JOINED_NAMES,
  joinedBit,
  requestKind,
  responseKind,
} from "./header-kinds.ts";
import { HeaderList } from "./header-list.ts";
import { pseudoLines } from "./pseudo-lines.ts";
import { isReferer } from "./referer.ts";
import type { AnswerHead, HttpVersion, LineFilter, RequestHead } from "./message.ts";

const NONE: readonly string[] = Object.freeze([]);
const NO_NAMES: ReadonlySet<string> = new Set();

abstract class Http2Head {
  readonly version: HttpVersion = "HTTP/2";
  /** Pseudo headers first; lines are counted without them. */
  readonly headers: readonly Http2Header[];
  readonly pseudo: number;
  readonly contentLength: number;

  constructor(block: ReceivedBlock) {
    this.headers = block.headers;
    this.pseudo = block.pseudo;
    this.contentLength = block.contentLength;
  }

  protected abstract kindOf(header: Http2Header): number;

  nameAt(line: number): string {
    return (this.headers[this.pseudo + line] as Http2Header).name;
  }

  first(name: string): string | undefined {
    return this.headerLines(name)[0];
  }

  headerLines(name: string): readonly string[] {
    const { headers } = this;
    let found: string[] | undefined;
    for (let i = this.pseudo; i < headers.length; i++) {
      const header = headers[i] as Http2Header;
      if (header.name !== name) continue;
      if (found === undefined) found = [header.value];
      else if (JOINED_NAMES.has(name)) found[0] += "," + header.value;
      else found.push(header.value);
    }
    return found ?? NONE;
  }

  toList(skip: LineFilter): HeaderList {
    const { headers, pseudo } = this;
    const list = new HeaderList();
    for (let i = pseudo; i < headers.length; i++) {
      const header = headers[i] as Http2Header;
      const kind = this.kindOf(header);
      if (skip(kind, i - pseudo)) continue;
      const known = kind === H_OTHER || !JOINED_NAMES.has(header.name) ? -1 : list.names.indexOf(header.name);
      if (known >= 0) list.values[known] += "," + header.value;
      else list.push(header.name, header.value);
    }
    return list;
  }
}

export class Http2RequestHead extends Http2Head implements RequestHead {
  method: string;
  path: string;
  readonly plainPath = false;
  authority: string;
  scheme: string;
  readonly hosts: number;
  readonly upgradeRequested: boolean;
  readonly upgrade: string;
  expect = false;
  requestId = "";
  forwardedFor = "";
  forwardedProto = "";
  clientCert = "";
  forwardedPort = "";
  emptyProto = false;
  grpc = false;
  trailersWanted = false;
  /** The codec has dealt with them. */
  readonly underscores = false;
  badReferer = false;
  pristine = true;
  forged = NO_NAMES;
  /** A name whose lines Envoy joins stands there twice. */
  duplicates = false;
  private contentType = "";
  private joined = 0;

  constructor(block: ReceivedBlock) {
    super(block);
    this.upgrade = block.protocol;
    this.upgradeRequested = block.protocol !== "";
    this.method = this.upgradeRequested ? "GET" : block.method;
    this.path = block.path;
    this.authority = block.authority;
    this.hosts = block.authority === "" ? 0 : 1;
    // What is neither is found out as for HTTP/1 (Envoy: schemeIsValid).
    this.scheme = block.scheme === "http" || block.scheme === "https" ? block.scheme : "";
    if (this.scheme === "") this.pristine = false;
    const { headers } = block;
    for (let i = block.pseudo; i < headers.length; i++) {
      const header = headers[i] as Http2Header;
      const kind = header.requestKind < 0 ? this.kindOf(header) : header.requestKind;
      if (kind !== H_OTHER) this.note(kind, header);
    }
  }

  protected kindOf(header: Http2Header): number {
    if (header.requestKind < 0) header.requestKind = requestKind(header.name);
    return header.requestKind;
  }

  private note(kind: number, { value }: Http2Header): void {
    switch (kind) {
      case H_TE:
        this.trailersWanted = true;
        break;
      case H_EXPECT:
        if (value.toLowerCase() === "100-continue") this.expect = true;
        break;
      case H_REQUEST_ID:
        this.requestId = this.join(this.requestId, value);
        break;
      case H_FORWARDED_FOR:
        this.forwardedFor = this.join(this.forwardedFor, value);
        break;
      case H_CLIENT_CERT:
        this.clientCert = this.join(this.clientCert, value);
        break;
      case H_FORWARDED_PROTO:
        this.forwardedProto = this.join(this.forwardedProto, value);
        this.emptyProto = this.forwardedProto === "";
        break;
      case H_CONTENT_TYPE:
        if (this.contentType !== "") this.duplicates = true;
        this.contentType = value;
        this.grpc = isGrpc(value);
        break;
      default: {
        if (kind < H_JOINED) break;
        const bit = joinedBit(kind);
        if ((this.joined & bit) !== 0) this.duplicates = true;
        this.joined |= bit;
        if (kind === H_REFERER && !isReferer(value)) this.badReferer = true;
      }
    }
  }

  private join(before: string, value: string): string {
    if (before === "") return value;
    this.duplicates = true;
    return before + "," + value;
  }

  override headerLines(name: string): readonly string[] {
    const pseudo = pseudoLines(this, name);
    if (pseudo !== undefined) return pseudo;
    switch (name) {
      case "x-request-id":
        return this.requestId === "" ? NONE : [this.requestId];
      case "x-forwarded-proto":
        return this.forwardedProto === "" ? NONE : [this.forwardedProto];
      case "x-forwarded-for":
        return this.forwardedFor === "" ? NONE : [this.forwardedFor];
      case "x-forwarded-client-cert":
        return this.clientCert === "" ? NONE : [this.clientCert];
      case "x-forwarded-port":
        return this.forwardedPort === "" ? super.headerLines(name) : [this.forwardedPort];
      case "upgrade":
        return this.upgradeRequested ? [this.upgrade] : NONE;
      case "connection":
        return this.upgradeRequested ? ["upgrade"] : NONE;
      default:
        return this.forged.has(name) ? NONE : super.headerLines(name);
    }
  }

  dropUnderscores(): void {}
}

export class Http2AnswerHead extends Http2Head implements AnswerHead {
  readonly status: number;
  readonly hasDate: boolean;

  /** `upgrade`: the protocol that a 200 switches to, "" = none. */
  constructor(block: ReceivedBlock, upgrade = "") {
    super(block);
    this.status = upgrade !== "" && block.status === 200 ? 101 : block.status;
    this.upgrade = this.status === 101 ? upgrade : "";
    let hasDate = false;
    const { headers } = block;
    for (let i = block.pseudo; i < headers.length; i++) if (this.kindOf(headers[i] as Http2Header) === H_DATE) hasDate = true;
    this.hasDate = hasDate;
  }

  readonly upgrade: string;

  protected kindOf(header: Http2Header): number {
    if (header.responseKind < 0) header.responseKind = responseKind(header.name);
    return header.responseKind;
  }

  override headerLines(name: string): readonly string[] {
    return name === "upgrade" && this.upgrade !== "" ? [this.upgrade] : super.headerLines(name);
  }

  override toList(skip: LineFilter): HeaderList {
    const list = super.toList(skip);
    if (this.upgrade !== "") list.push("upgrade", this.upgrade);
    return list;
  }
}
