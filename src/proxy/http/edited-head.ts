// A request head that HTTP filters have edited before the route's action: whoever comes after them sees what they left. The caller's head stays
// as it came, since its codec still reads it.
import {
  H_CLIENT_CERT,
  H_ENVOY,
  H_FORWARDED_FOR,
  H_FORWARDED_PROTO,
  H_HOST,
  H_REFERER,
  H_REQUEST_ID,
  isGrpc,
  requestKind,
} from "./header-kinds.ts";
import { HeaderList } from "./header-list.ts";
import { pseudoLines } from "./pseudo-lines.ts";
import type { HttpVersion, LineFilter, RequestHead } from "./message.ts";

const NO_NAMES: ReadonlySet<string> = new Set();

export class EditedHead implements RequestHead {
  /** All lines but the host's, with what the proxy itself says of the caller; edit here, then `settle`. */
  readonly list: HeaderList;
  readonly version: HttpVersion;
  contentLength: number;
  readonly hosts: number;
  readonly upgradeRequested: boolean;
  readonly upgrade: string;
  readonly expect: boolean;
  trailersWanted: boolean;
  readonly underscores: boolean;
  method: string;
  path: string;
  readonly plainPath = false;
  authority: string;
  scheme: string;
  requestId: string;
  forwardedFor: string;
  forwardedProto: string;
  readonly emptyProto: boolean;
  clientCert: string;
  /** It was left behind. */
  readonly badReferer = false;
  /** In the list. */
  readonly forwardedPort = "";
  grpc: boolean;
  pristine = false;
  forged: ReadonlySet<string> = NO_NAMES;

  constructor(head: RequestHead) {
    this.version = head.version;
    this.contentLength = head.contentLength;
    this.hosts = head.hosts;
    this.upgradeRequested = head.upgradeRequested;
    this.upgrade = head.upgrade;
    this.expect = head.expect;
    this.trailersWanted = head.trailersWanted;
    this.underscores = head.underscores;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.scheme = head.scheme;
    this.requestId = head.requestId;
    this.forwardedFor = head.forwardedFor;
    this.forwardedProto = head.forwardedProto;
    this.emptyProto = head.emptyProto;
    this.clientCert = head.clientCert;
    this.grpc = head.grpc;
    this.list = head.toList(
      (kind, line) =>
        SAID_ELSEWHERE.has(kind) || (kind === H_REFERER && head.badReferer) || (kind === H_ENVOY && head.forged.has(head.nameAt(line))),
    );
    if (head.requestId !== "") this.list.push("x-request-id", head.requestId);
    if (head.forwardedFor !== "") this.list.push("x-forwarded-for", head.forwardedFor);
    if (head.forwardedProto !== "") this.list.push("x-forwarded-proto", head.forwardedProto);
    if (head.clientCert !== "") this.list.push("x-forwarded-client-cert", head.clientCert);
    if (head.forwardedPort !== "") this.list.set("x-forwarded-port", head.forwardedPort);
  }

  /** Takes over what stands in the list now and is known by a field as well. */
  settle(): void {
    const { list } = this;
    this.requestId = list.get("x-request-id") ?? "";
    this.forwardedFor = list.get("x-forwarded-for") ?? "";
    this.forwardedProto = list.get("x-forwarded-proto") ?? "";
    this.clientCert = list.get("x-forwarded-client-cert") ?? "";
    this.grpc = isGrpc(list.get("content-type") ?? "");
    this.trailersWanted = list.get("te")?.toLowerCase() === "trailers";
  }

  headerLines(name: string): readonly string[] {
    return pseudoLines(this, name) ?? this.list.lines(name);
  }

  first(name: string): string | undefined {
    return this.headerLines(name)[0];
  }

  nameAt(line: number): string {
    return this.list.names[line] ?? "";
  }

  toList(skip: LineFilter): HeaderList {
    const { names, values } = this.list;
    const copy = new HeaderList();
    copy.spellings = this.list.spellings;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (!skip(requestKind(name), i)) copy.push(name, values[i] as string);
    }
    return copy;
  }

  /** It was looked at when it came. */
  dropUnderscores(): void {}
}

const SAID_ELSEWHERE: ReadonlySet<number> = new Set([H_HOST, H_REQUEST_ID, H_FORWARDED_FOR, H_FORWARDED_PROTO, H_CLIENT_CERT]);
