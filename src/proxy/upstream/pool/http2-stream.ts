// A request on an upstream's HTTP/2 connection: one stream.
import { http2Field } from "../../http/http2-fields.ts";
import { Http2AnswerHead } from "../../http/http2-head.ts";
import { trailerFields, type Trailers } from "../../http/message.ts";
import type { OutgoingRequest } from "../../http/outgoing-request.ts";
import { H2 } from "../../http2/frames.ts";
import type { Http2Session, Http2Stream, ReceivedBlock, ResetCause, StreamUser } from "../../http2/stream.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import type { AnswerStart, BodyPart, UpstreamStream, UpstreamUser } from "./upstream-stream.ts";

/** A connection that had been idle this long and dies without an answer was most likely closed before our request reached it. */
const IDLE_RACE_MS = 200;
const NOTHING = Buffer.alloc(0);

/** The connection, as its streams see it. */
export interface StreamOwner {
  readonly session: Http2Session;
  readonly localAddress: string;
  readonly tls: TlsInfo | undefined;
  /** Requests that were sent on it so far, and bytes that came. */
  readonly uses: number;
  readonly received: number;
  onOpened(): void;
  countSent(bytes: number): void;
}

export class Http2UpstreamStream implements UpstreamStream, StreamUser {
  trailers: Trailers = undefined;
  readonly lasting = false;
  outraced = false;
  private readonly owner: StreamOwner;
  private user: UpstreamUser | undefined = undefined;
  private stream: Http2Stream | undefined = undefined;
  private upgrade = "";
  /** What the connection had brought when this began; -1: it had not been idle. */
  private receivedBefore = -1;
  /** `resume` was called while the user was told something. */
  private resumed = false;

  constructor(owner: StreamOwner) {
    this.owner = owner;
  }

  get localAddress(): string {
    return this.owner.localAddress;
  }

  get tls(): TlsInfo | undefined {
    return this.owner.tls;
  }

  attach(user: UpstreamUser, now: number): void {
    const { session, uses, received } = this.owner;
    this.user = user;
    if (uses > 0 && session.activeStreams === 0 && now - session.idleSince >= IDLE_RACE_MS) this.receivedBefore = received;
  }

  send(request: OutgoingRequest): void {
    const { session } = this.owner;
    const { attempts, fields, bodyText, whole } = request;
    this.upgrade = request.upgrade;
    const block = attempts > 0 ? [...fields, http2Field("x-envoy-attempt-count", String(attempts))] : fields;
    const stream = session.open(block, whole && bodyText === "", this);
    if (stream === undefined) {
      this.fail("connection termination");
      return;
    }
    this.stream = stream;
    this.owner.onOpened();
    if (bodyText === "") return;
    stream.sendText(bodyText, whole);
    this.owner.countSent(bodyText.length);
  }

  write(part: Buffer): boolean {
    this.owner.countSent(part.length);
    return this.stream === undefined || part.length === 0 || this.stream.sendData(part, false);
  }

  finish(part: Buffer, _text: string, trailers: Trailers): void {
    const fields = trailerFields(trailers);
    if (fields.length === 0) {
      this.owner.countSent(part.length);
      this.stream?.sendData(part, true);
      return;
    }
    this.write(part);
    this.stream?.sendTrailers(fields);
  }

  whenWritable(fn: () => void): void {
    this.stream?.whenFlushed(fn);
  }

  resume(): void {
    this.resumed = true;
    this.stream?.resume();
  }

  prepend(): undefined {
    return undefined;
  }

  release(): void {
    const { stream } = this;
    this.user = undefined;
    if (stream === undefined) return;
    stream.user = undefined;
    // The answer came before the whole request was sent: the rest is not wanted.
    if (!stream.closed && !stream.localEnded) stream.reset(H2.CANCEL);
  }

  abandon(): void {
    const { stream } = this;
    this.user = undefined;
    if (stream === undefined) return;
    stream.user = undefined;
    stream.reset(H2.CANCEL);
  }

  // What the upstream sends.

  onHeaders(block: ReceivedBlock, endStream: boolean): void {
    const { user } = this;
    if (user === undefined) return;
    if (block.status < 200) {
      user.onInformational(new Http2AnswerHead(block));
      return;
    }
    const head = new Http2AnswerHead(block, this.upgrade);
    const bodiless = user.expectsNoBody || head.status === 204 || head.status === 304;
    const start: AnswerStart = {
      head,
      framing: bodiless ? "none" : "plain",
      bytes: "",
      data: NOTHING,
      bodyAt: 0,
      forwardEnd: 0,
      complete: endStream,
    };
    this.resumed = false;
    if (!user.onAnswer(this, start)) this.pause();
  }

  onData(data: Buffer, endStream: boolean): void {
    this.pass(data, { from: 0, to: data.length, complete: endStream });
  }

  onTrailers(block: ReceivedBlock): void {
    this.trailers = block.headers;
    this.pass(NOTHING, { from: 0, to: 0, complete: true });
  }

  private pass(data: Buffer, part: BodyPart): void {
    this.resumed = false;
    if (this.user?.onAnswerData(this, data, part) === false) this.pause();
  }

  private pause(): void {
    if (!this.resumed) this.stream?.pause();
  }

  onReset(code: number, cause: ResetCause): void {
    this.outraced = cause === "connection" && this.receivedBefore >= 0 && this.receivedBefore === this.owner.received;
    this.fail(reasonOf(code, cause));
  }

  private fail(reason: ResetReason): void {
    const { user } = this;
    this.user = undefined;
    user?.onUpstreamReset(this, reason, undefined);
  }

  onWritable(): void {}
}

/** As Envoy's codec names them. */
function reasonOf(code: number, cause: ResetCause): ResetReason {
  switch (cause) {
    case "refused":
      return "remote refused stream reset";
    case "protocol":
      return "protocol error";
    case "connection":
      return "connection termination";
    case "overflow":
    case "idle":
      return "local reset";
    case "peer":
      if (code === H2.REFUSED_STREAM) return "remote refused stream reset";
      if (code === H2.PROTOCOL_ERROR) return "protocol error";
      return code === H2.CONNECT_ERROR ? "remote error with CONNECT request" : "remote reset";
  }
}
