// A closed loop over HTTP/2: every stream's place is taken by the next call as soon as the last one is over.
import net from "node:net";
import { Http2Header } from "../../src/proxy/http2/header.ts";
import type { Http2Session, ReceivedBlock, StreamUser } from "../../src/proxy/http2/stream.ts";
import { DOMAIN } from "../bootstrap.ts";
import { type LoadResult, quantiles } from "../measure.ts";
import { MESSAGE } from "./backend.ts";
import { sessionOver } from "./peer.ts";

export type CallKind = "get" | "grpc";

export interface Http2LoadOptions {
  readonly port: number;
  readonly connections: number;
  readonly streams: number;
  readonly ms: number;
  readonly kind: CallKind;
  /** What a connection's callers send beside the rest. */
  readonly headers?: (caller: number) => readonly (readonly [string, string])[];
}

const COMMON = [new Http2Header(":scheme", "http"), new Http2Header(":authority", DOMAIN)];
const GET = [
  new Http2Header(":method", "GET"),
  new Http2Header(":path", "/things/100"),
  ...COMMON,
  new Http2Header("user-agent", "bench/1"),
  new Http2Header("accept", "*/*"),
];
const GRPC = [
  new Http2Header(":method", "POST"),
  new Http2Header(":path", "/bench.Echo/Unary"),
  ...COMMON,
  new Http2Header("content-type", "application/grpc"),
  new Http2Header("te", "trailers"),
  new Http2Header("user-agent", "grpc-bench/1"),
];

class Caller implements StreamUser {
  private readonly session: Http2Session;
  private readonly run: Run;
  private readonly request: readonly Http2Header[];
  private started = 0;
  private good = false;

  constructor(session: Http2Session, run: Run, request: readonly Http2Header[]) {
    this.session = session;
    this.run = run;
    this.request = request;
  }

  call(): void {
    this.started = performance.now();
    this.good = false;
    const stream = this.session.open(this.request, this.run.kind === "get", this);
    if (stream === undefined) this.run.failed++;
    else if (this.run.kind === "grpc") stream.sendData(MESSAGE, true);
  }

  onHeaders(block: ReceivedBlock, endStream: boolean): void {
    this.good = block.status === 200;
    if (endStream) this.over();
  }
  onData(_data: Buffer, endStream: boolean): void {
    if (endStream) this.over();
  }
  onTrailers(): void {
    this.over();
  }
  onReset(): void {
    if (this.run.running) this.run.failed++;
  }
  onWritable(): void {}

  private over(): void {
    if (!this.good) this.run.failed++;
    this.run.latencies.push(performance.now() - this.started);
    if (this.run.running) this.call();
  }
}

interface Run {
  readonly kind: CallKind;
  readonly latencies: number[];
  running: boolean;
  failed: number;
}

function connect(port: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

export async function runHttp2Load(options: Http2LoadOptions): Promise<LoadResult> {
  const run: Run = { kind: options.kind, latencies: [], running: true, failed: 0 };
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => connect(options.port)));
  for (const [caller, socket] of sockets.entries()) {
    const own = (options.headers?.(caller) ?? []).map(([name, value]) => new Http2Header(name, value));
    const request = [...(options.kind === "get" ? GET : GRPC), ...own];
    const session = sessionOver(socket, "client", {});
    for (let i = 0; i < options.streams; i++) new Caller(session, run, request).call();
  }
  await new Promise((done) => void setTimeout(done, options.ms));
  run.running = false;
  for (const socket of sockets) socket.destroy();
  return { work: run.latencies.length, failed: run.failed, ...quantiles(run.latencies) };
}
