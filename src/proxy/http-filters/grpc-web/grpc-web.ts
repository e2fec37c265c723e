// gRPC-Web to gRPC: what browsers can send and read becomes what servers speak, with trailers at the end of the body, in binary or in base64.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_web_filter
import { EditedHead } from "../../http/edited-head.ts";
import type { Trailers } from "../../http/message.ts";
import { Dechunker } from "../../http1/dechunk.ts";
import type { BodyTaker } from "../../router/caller.ts";
import type { Exchange, Layer, Service } from "../../router/exchange.ts";
import { sendLocal } from "../../router/respond.ts";
import type { BodyPart } from "../../upstream/pool/upstream-stream.ts";
import { GrpcWebCaller } from "./grpc-web-caller.ts";

const BINARY: ReadonlySet<string> = new Set(["application/grpc-web", "application/grpc-web+proto"]);
const TEXT: ReadonlySet<string> = new Set(["application/grpc-web-text", "application/grpc-web-text+proto"]);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NOTHING = Buffer.alloc(0);

export function grpcWebLayer(): Layer {
  return (inner) => (exchange) => {
    const type = exchange.head.first("content-type") ?? "";
    if (BINARY.has(type) || TEXT.has(type)) translate(exchange, inner, TEXT.has(type));
    else inner(exchange);
  };
}

function translate(exchange: Exchange, inner: Service, text: boolean): void {
  const head = exchange.head instanceof EditedHead ? exchange.head : new EditedHead(exchange.head);
  exchange.head = head;
  const { list } = head;
  list.set("content-type", "application/grpc");
  list.set("te", "trailers");
  if (list.get("grpc-accept-encoding") === undefined) list.push("grpc-accept-encoding", "identity");
  head.settle();
  exchange.caller = new GrpcWebCaller(exchange, { textRequest: text, textAnswer: TEXT.has(list.get("accept") ?? "") });
  if (text) {
    if (exchange.bodyText !== "") {
      const decoded = decode(exchange.bodyText);
      if (decoded === undefined) {
        refuse(exchange, exchange.bodyText.length % 4 !== 0);
        return;
      }
      exchange.bodyText = decoded;
      head.contentLength = decoded.length;
    } else if (exchange.bodyPending) {
      const { chunked } = exchange.own;
      head.contentLength = -1;
      exchange.bodyFilter = (taker) => new TextBody(exchange, taker, chunked);
    }
  }
  inner(exchange);
}

function refuse(exchange: Exchange, badSize: boolean): void {
  sendLocal(exchange, {
    status: 400,
    body: "Bad gRPC-web request, invalid base64 data.",
    details: badSize ? "grpc_base_64_decode_failed_bad_size" : "grpc_base_64_decode_failed",
    flags: 0,
    headers: "",
    close: false,
  });
}

/** One byte per char both ways; undefined = it is no base64. Padding may stand at the end of each piece that was encoded by itself. */
function decode(text: string): string | undefined {
  if (text.length % 4 !== 0) return undefined;
  let out = "";
  let at = 0;
  while (at < text.length) {
    const padding = text.indexOf("=", at);
    const end = padding < 0 ? text.length : padding + 4 - ((padding - at) % 4);
    const piece = text.slice(at, end);
    if (!BASE64.test(piece)) return undefined;
    out += Buffer.from(piece, "base64").toString("latin1");
    at = end;
  }
  return out;
}

/** A request's body in base64, decoded as it comes. */
class TextBody implements BodyTaker {
  private readonly exchange: Exchange;
  private readonly taker: BodyTaker;
  private readonly dechunker: Dechunker | undefined;
  private held = "";
  private broken = false;

  constructor(exchange: Exchange, taker: BodyTaker, chunked: boolean) {
    this.exchange = exchange;
    this.taker = taker;
    this.dechunker = chunked ? new Dechunker() : undefined;
  }

  onRequestData(data: Buffer, { from, to, complete }: BodyPart, end: Trailers): void {
    if (this.broken) return;
    const view = data.subarray(from, to);
    let text = this.held;
    for (const part of this.dechunker?.feed(view) ?? [view]) text += part.toString("latin1");
    const whole = complete ? text.length : text.length - (text.length % 4);
    this.held = text.slice(whole);
    const decoded = decode(text.slice(0, whole));
    if (decoded === undefined) {
      this.refuse(text.length % 4 !== 0);
      return;
    }
    if (decoded === "" && !complete) return;
    const bytes = decoded === "" ? NOTHING : Buffer.from(decoded, "latin1");
    // A string would stand for the end of HTTP/1 chunks, which were taken off here.
    this.taker.onRequestData(bytes, { from: 0, to: bytes.length, complete }, typeof end === "string" ? undefined : end);
  }

  private refuse(badSize: boolean): void {
    const { exchange } = this;
    this.broken = true;
    this.taker.onCallerGone();
    exchange.flags = 0;
    if (exchange.responded) exchange.caller.abort();
    else refuse(exchange, badSize);
  }

  onCallerGone(): void {
    this.taker.onCallerGone();
  }

  onTunnelEnd(): void {
    this.taker.onTunnelEnd();
  }
}
