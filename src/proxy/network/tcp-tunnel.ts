// The upstream's side of a TCP session that goes through another proxy: a CONNECT or POST request whose body, and whose answer's body, are the bytes.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades#tunneling-tcp-over-http
import type { TunnelConfig } from "../config/index.ts";
import { http2Field } from "../http/http2-fields.ts";
import { HeaderList } from "../http/header-list.ts";
import { OutgoingRequest } from "../http/outgoing-request.ts";
import { Dechunker } from "../http1/dechunk.ts";
import type { ResetReason } from "../observe/failure.ts";
import { compileFormat, type Format } from "../observe/format.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import { applyMutations, type CompiledMutations, compileMutations } from "../router/header-mutation.ts";
import { Http1Connection } from "../upstream/pool/http1-connection.ts";
import type { ConnectionPool, PoolRequest } from "../upstream/pool/pool.ts";
import type { AnswerStart, BodyPart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import type { TcpTarget, TcpUpstream, TcpUpstreamUser } from "./tcp-upstream.ts";

export interface TunnelPlan {
  readonly config: TunnelConfig;
  readonly hostname: Format | undefined;
  readonly headers: readonly CompiledMutations[];
}

export function planTunnel(config: TunnelConfig): TunnelPlan {
  const hostname = compileFormat(config.hostname);
  return { config, hostname: hostname.ok ? hostname.value : undefined, headers: compileMutations([config.headers]) };
}

const NOTHING = Buffer.alloc(0);

export class TcpTunnel implements TcpUpstream, PoolRequest {
  private readonly plan: TunnelPlan;
  private readonly target: TcpTarget;
  private readonly user: TcpUpstreamUser;
  private readonly http2: boolean;
  private readonly info: StreamInfo;
  private pool: ConnectionPool | undefined = undefined;
  private stream: UpstreamStream | undefined = undefined;
  private ready = false;
  private gone = false;
  private dechunker: Dechunker | undefined = undefined;
  readonly expectsNoBody = false;
  readonly connects: boolean;

  constructor(plan: TunnelPlan, target: TcpTarget, user: TcpUpstreamUser & StreamInfo) {
    this.plan = plan;
    this.target = target;
    this.user = user;
    this.info = user;
    this.http2 = target.cluster.config.protocol === "http2";
    this.connects = !plan.config.usePost;
  }

  open(): void {
    const { cluster, host, names } = this.target;
    const kind = this.http2 ? "http2" : "http1";
    this.pool = cluster.followsRequest ? cluster.poolFor(host, names, kind) : cluster.pool(host, kind);
    const stream = this.pool.acquire(this);
    if (stream !== undefined) this.onPoolReady(stream);
  }

  get localAddress(): string {
    return this.stream?.localAddress ?? "";
  }

  get tls(): TlsInfo | undefined {
    return this.stream?.tls;
  }

  onPoolReady(stream: UpstreamStream): void {
    const now = this.target.env.clock.now();
    if (this.gone) {
      stream.release(false, now);
      return;
    }
    this.stream = stream;
    stream.attach(this, now);
    stream.send(this.request(stream.tls !== undefined));
  }

  private request(secure: boolean): OutgoingRequest {
    const { config, hostname, headers } = this.plan;
    const list = new HeaderList();
    applyMutations(headers, list, this.info);
    const authority = hostname?.render(this.info, "") ?? config.hostname;
    const out = new OutgoingRequest();
    const method = config.usePost ? "POST" : "CONNECT";
    const path = config.usePost ? config.postPath : authority;
    const framing = config.usePost ? "transfer-encoding: chunked\r\n" : "";
    out.text = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${list.text()}${framing}`;
    out.fields = [
      http2Field(":method", method),
      http2Field(":authority", authority),
      ...(config.usePost ? [http2Field(":scheme", secure ? "https" : "http"), http2Field(":path", path)] : []),
      ...list.names.map((name, i) => http2Field(name, list.values[i] as string)),
    ];
    return out;
  }

  onPoolFailure(reason: ResetReason, failure: string | undefined): void {
    this.fail(reason, failure);
  }

  private fail(reason: ResetReason, failure?: string): void {
    if (this.gone) return;
    this.gone = true;
    if (reason !== "overflow") this.target.host.outlier?.putOutcome(reason === "connection timeout" ? "timeout" : "connect failed");
    this.user.onFailed(reason, failure);
  }

  onInformational(): void {}

  onAnswer(stream: UpstreamStream, start: AnswerStart): boolean {
    const { status } = start.head;
    if (status < 200 || status > 299) {
      stream.abandon();
      this.fail("remote connection failure", `tunnel_response:${status}`);
      return true;
    }
    if (start.framing === "chunked") this.dechunker = new Dechunker();
    this.ready = true;
    this.target.host.outlier?.putOutcome("connected for good");
    this.user.onReady();
    return this.onAnswerData(stream, start.data, { from: start.bodyAt, to: start.forwardEnd, complete: start.complete });
  }

  onAnswerData(stream: UpstreamStream, data: Buffer, { from, to, complete }: BodyPart): boolean {
    if (this.gone) return true;
    let free = true;
    if (to > from) {
      const view = data.subarray(from, to);
      const parts = this.dechunker === undefined ? [view] : this.dechunker.feed(view);
      // What does not last is used up here.
      for (const part of parts) free = this.user.onUpstreamData(stream.lasting ? part : Buffer.from(part)) && free;
    }
    if (complete && !this.gone) this.user.onUpstreamEnd();
    return free;
  }

  onUpstreamReset(_stream: UpstreamStream, reason: ResetReason, failure: string | undefined): void {
    this.stream = undefined;
    if (!this.ready) this.fail(reason, failure);
    else if (!this.gone) {
      this.gone = true;
      this.user.onUpstreamClosed(true);
    }
  }

  write(part: Buffer): boolean {
    const { stream } = this;
    if (stream === undefined) return true;
    if (this.http2 || this.connects) return stream.write(part);
    stream.write(Buffer.from(`${part.length.toString(16)}\r\n`, "latin1"));
    stream.write(part);
    return stream.write(CHUNK_END);
  }

  whenWritable(fn: () => void): void {
    this.stream?.whenWritable(fn);
  }

  end(): void {
    const { stream } = this;
    if (stream instanceof Http1Connection && this.connects) stream.conn.end();
    else stream?.finish(NOTHING, "0\r\n\r\n", undefined);
  }

  resume(): void {
    this.stream?.resume();
  }

  close(): void {
    const { stream } = this;
    if (this.gone) return;
    this.end();
    this.gone = true;
    if (stream === undefined) this.pool?.cancel(this);
    else stream.whenWritable(() => stream.abandon());
  }

  drop(): void {
    if (this.gone) return;
    this.gone = true;
    if (this.stream === undefined) this.pool?.cancel(this);
    else this.stream.abandon();
  }
}

const CHUNK_END = Buffer.from("\r\n", "latin1");
