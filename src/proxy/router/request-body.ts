// A request's body on its way upstream: framed as the upstream wants it, held while there is no connection and for as long as it may have to be
// sent again, and stopped at the caller while too much of it waits.
import { type Trailers, trailerText } from "../http/message.ts";
import { Dechunker } from "../http1/dechunk.ts";
import { HIGH_WATER } from "../network/conn.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { PoolKind } from "../upstream/pool/pool.ts";
import type { BodyPart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { Exchange } from "./exchange.ts";

/** Kept for another try up to here, as Envoy's buffer limit does; a longer one is sent once. */
const REPLAY_LIMIT = 1_048_576;
const NOTHING = Buffer.alloc(0);

/** What a try sends it to. */
export interface BodyTarget {
  readonly http2: boolean;
  /** An upgrade: bytes that only pass through. */
  readonly tunnel: boolean;
  /** HTTP/1: the upstream gets trailers. */
  readonly trailers: boolean;
}

const HTTP1_BODY: BodyTarget = { http2: false, tunnel: false, trailers: false };
const HTTP2_BODY: BodyTarget = { http2: true, tunnel: false, trailers: true };

export function bodyTarget(cluster: Cluster, kind: PoolKind, mayTunnel: boolean): BodyTarget {
  const { http1Trailers } = cluster.config;
  const http2 = kind !== "http1";
  const tunnel = mayTunnel || kind === "tcp";
  if (tunnel || http1Trailers) return { http2, tunnel, trailers: kind === "http2" || http1Trailers };
  return http2 ? HTTP2_BODY : HTTP1_BODY;
}

/** Is told when too much of the body waits for its upstream. */
export interface BodyFlow {
  pauseRequest(): void;
  resumeRequest(): void;
}

export class RequestBody {
  /** All of it is here. */
  complete = false;
  /** All of it so far is here (or it has none): another try can send it again. */
  canReplay = false;
  private flow!: BodyFlow;
  private stream: UpstreamStream | undefined = undefined;
  /** It calls when it can take more. */
  private awaited: UpstreamStream | undefined = undefined;
  private form: "as-is" | "to-chunks" | "from-chunks" = "as-is";
  private target!: BodyTarget;
  /** It went out, or goes out, with the head. */
  private whole = false;
  private retries = false;
  private parts: Buffer[] = [];
  private bytes = 0;
  private end: Trailers = undefined;
  private paused = false;
  private dechunker: Dechunker | undefined = undefined;

  start(exchange: Exchange, target: BodyTarget, retries: boolean, flow: BodyFlow = exchange.caller): void {
    const { caller, head } = exchange;
    this.flow = flow;
    this.target = target;
    this.whole = !exchange.bodyPending;
    this.complete = this.whole;
    this.canReplay = true;
    this.retries = retries;
    this.end = undefined;
    if (this.whole || caller.chunked === !target.http2) this.form = "as-is";
    else if (caller.chunked) {
      this.form = "from-chunks";
      this.dechunker = new Dechunker();
    } else this.form = target.http2 || target.tunnel || head.contentLength >= 0 ? "as-is" : "to-chunks";
  }

  /** A try has its stream, and the head was sent on it. */
  sendTo(stream: UpstreamStream): void {
    this.stream = stream;
    if (this.whole) return;
    const { parts } = this;
    let free = true;
    for (const part of parts) free = stream.write(part);
    if (this.complete) this.finish(stream, NOTHING);
    if (!this.canReplay || !this.retries) this.drop();
    if (!free) this.waitFor(stream);
    else this.go();
  }

  /** The try is over. */
  leave(): void {
    this.stream = undefined;
  }

  /** data[part.from, part.to) as the caller sent it; only valid now. */
  take(data: Buffer, part: BodyPart, end: Trailers): void {
    if (part.complete) {
      this.complete = true;
      this.end = end;
    }
    const view = data.subarray(part.from, part.to);
    switch (this.form) {
      case "as-is":
        this.pass(view, part.complete);
        break;
      case "to-chunks":
        this.pass(view.length === 0 ? view : Buffer.concat([chunkLine(view.length), view, CRLF]), part.complete);
        break;
      case "from-chunks":
        for (const piece of this.dechunker?.feed(view) ?? []) this.pass(piece, false);
        if (part.complete) this.pass(NOTHING, true);
        break;
    }
  }

  private pass(view: Buffer, last: boolean): void {
    const { stream } = this;
    const held = stream === undefined || (this.retries && this.canReplay);
    // The caller's read buffer is not ours: what waits for another try is a copy.
    const part = held ? Buffer.from(view) : view;
    if (held) this.hold(part);
    else this.canReplay = false;
    if (stream === undefined) {
      if (this.bytes > HIGH_WATER) this.stop();
    } else if (last) this.finish(stream, part);
    else if (part.length > 0 && !stream.write(part)) this.waitFor(stream);
  }

  private finish(stream: UpstreamStream, part: Buffer): void {
    const { end, target } = this;
    const lines = target.trailers ? trailerText(end) : "";
    const text = this.form === "to-chunks" ? "0\r\n" + lines + "\r\n" : typeof end === "string" ? lines + "\r\n" : "";
    stream.finish(part, text, end);
  }

  private hold(part: Buffer): void {
    if (part.length === 0) return;
    this.parts.push(part);
    this.bytes += part.length;
    if (this.bytes <= REPLAY_LIMIT) return;
    this.canReplay = false;
    if (this.stream !== undefined) this.drop();
  }

  /** What was sent cannot be sent again. */
  private drop(): void {
    if (this.bytes === 0) return;
    this.canReplay = false;
    this.parts = [];
    this.bytes = 0;
  }

  private waitFor(stream: UpstreamStream): void {
    this.stop();
    if (this.awaited === stream) return;
    this.awaited = stream;
    stream.whenWritable(() => {
      this.awaited = undefined;
      if (this.stream === stream) this.go();
    });
  }

  private stop(): void {
    if (this.paused) return;
    this.paused = true;
    this.flow.pauseRequest();
  }

  private go(): void {
    if (!this.paused) return;
    this.paused = false;
    this.flow.resumeRequest();
  }

  clear(): void {
    this.stream = undefined;
    this.awaited = undefined;
    this.go();
    this.drop();
    this.dechunker = undefined;
  }
}

const CRLF = Buffer.from("\r\n");

function chunkLine(length: number): Buffer {
  return Buffer.from(length.toString(16) + "\r\n", "latin1");
}
