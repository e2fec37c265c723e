// Messages as the router sees them, whatever their HTTP version. HTTP/1 heads answer on their own text, HTTP/2 heads on the fields that HPACK
// decoded: neither is turned into the other before somebody asks for it.
import type { RequestView } from "../config/index.ts";
import { Http2Header } from "../http2/header.ts";
import type { HeaderList } from "./header-list.ts";

/** A message's trailers as its own codec holds them: HTTP/1 lines with CRLF each, or fields. undefined = there are none, and nothing is held back. */
export type Trailers = string | readonly Http2Header[] | undefined;

export type HttpVersion = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

/** Says which lines stay behind, by kind (header-kinds.ts) and number. */
export type LineFilter = (kind: number, line: number) => boolean;

interface MessageHead {
  readonly version: HttpVersion;
  /** -1 = not said. */
  readonly contentLength: number;
  /** Name of a line, in lower case. */
  nameAt(line: number): string;
  headerLines(name: string): readonly string[];
  first(name: string): string | undefined;
  /** The lines as a list that can be edited, without pseudo headers; repeated ones joined where Envoy joins them. */
  toList(skip: LineFilter): HeaderList;
}

export interface RequestHead extends MessageHead, RequestView {
  /** An extended CONNECT (RFC 8441) counts as the GET with `upgrade` that it stands for. */
  method: string;
  path: string;
  /** Normalisation has nothing to do: every byte was looked at. */
  readonly plainPath: boolean;
  authority: string;
  scheme: string;
  /** How many hosts it names. */
  readonly hosts: number;
  readonly upgradeRequested: boolean;
  /** Token of the upgrade header, "" = none. */
  readonly upgrade: string;
  /** `expect: 100-continue` */
  readonly expect: boolean;
  requestId: string;
  forwardedFor: string;
  /** x-forwarded-client-cert, repeated lines joined. */
  clientCert: string;
  forwardedProto: string;
  /** x-forwarded-proto is there and empty: where it is believed, no route is found. */
  readonly emptyProto: boolean;
  /** What x-forwarded-port is to say, "" = the caller's own stays. */
  forwardedPort: string;
  /** `content-type: application/grpc`, with or without a subtype; not grpc-web. */
  grpc: boolean;
  /** `trailers` stands in `te`; nothing else of that is forwarded. */
  readonly trailersWanted: boolean;
  /** `referer` is none and goes no further. */
  readonly badReferer: boolean;
  /** Some name holds an underscore. */
  readonly underscores: boolean;
  /** Path and host go on as they came. */
  pristine: boolean;
  /** `x-envoy-*` names that a caller has no say in: as if they were not there. */
  forged: ReadonlySet<string>;
  dropUnderscores(): void;
}

/** The protocol that a request asks for on its connection, in lower case; "" = none, or HTTP/2, which nobody takes this way. */
export function upgradeToken({ upgradeRequested, upgrade }: RequestHead): string {
  if (!upgradeRequested) return "";
  const token = upgrade.toLowerCase();
  return token === "h2c" ? "" : token;
}

/** Bytes of anything may follow the head: whatever the answer is, no other request can come behind it. */
export function mayTunnel(head: RequestHead): boolean {
  return head.method === "CONNECT" || upgradeToken(head) !== "";
}

export interface AnswerHead extends MessageHead {
  readonly status: number;
  readonly hasDate: boolean;
}

const NONE: readonly Http2Header[] = Object.freeze([]);

/** Trailers as fields, for a message that goes on in HTTP/2. */
export function trailerFields(trailers: Trailers): readonly Http2Header[] {
  if (typeof trailers !== "string") return trailers ?? NONE;
  const fields: Http2Header[] = [];
  for (const line of trailers.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.push(new Http2Header(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()));
  }
  return fields;
}

/** Trailers as HTTP/1 lines with CRLF each. */
export function trailerText(trailers: Trailers): string {
  if (trailers === undefined || typeof trailers === "string") return trailers ?? "";
  let out = "";
  for (const { name, value } of trailers) out += name + ": " + value + "\r\n";
  return out;
}
