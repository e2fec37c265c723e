// A connection's HTTP/2 session, client or server: its streams, how it begins, how it ends, and that the peer is alive. RFC 9113; limits as Envoy's
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge).
import type { Http2Limits } from "../config/index.ts";
import { ConnectionWindow } from "./connection-window.ts";
import { Deadlines, type Deadline } from "./deadlines.ts";
import { FloodGuard } from "./flood-guard.ts";
import { type FrameFlood, FrameReader } from "./frame-reader.ts";
import * as F from "./frames.ts";
import { writeGreeting } from "./greeting.ts";
import { OpenStream } from "./open-stream.ts";
import { Output, type OutputOwner } from "./output.ts";
import { ENDED, type HowEnded, PastStreams, RESET_BY_PEER, RESET_HERE } from "./past-streams.ts";
import { Receiving } from "./receiving.ts";
import { Sending, type SendingOwner } from "./sending.ts";
import { StreamTable } from "./stream-table.ts";
import type {
  HeaderBlock,
  Http2Conn,
  Http2Session,
  Http2Stats,
  ResetCause,
  SessionEnd,
  SessionHandler,
  SessionOptions,
  StreamUser,
  WriteTurn,
} from "./stream.ts";
import { eventLoopTurn } from "./write-turn.ts";

const { H2 } = F;

/** A stream's window to begin with: a slow reader makes us hold no more. */
const FIRST_WINDOW = 262_144;
/** Header blocks are held until they are whole: beyond the limit for their content by this, the connection is given up instead of answered. */
const BLOCK_MARGIN = 65_536;
/** Streams that a client opens before it knows what the server allows. */
const UNSETTLED_STREAMS = 100;
/** A header block or preface that is not complete after this long is an attack. */
const HEAD_TIMEOUT_MS = 10_000;
/** How long the last frames of a broken session may take to leave. */
const BROKEN_MS = 50;
const ENDED_MS = 1000;
const DRAIN_MS = 1000;
const PING_DRAIN = 1;
const PING_ALIVE = 2;

export function createHttp2Session(options: SessionOptions): Http2Session {
  return new Session(options);
}

export class Session implements Http2Session, OutputOwner, SendingOwner {
  readonly server: boolean;
  readonly limits: Http2Limits;
  readonly stats: Http2Stats;
  readonly handler: SessionHandler;
  readonly guard: FloodGuard;
  readonly output: Output;
  readonly sending: Sending;
  readonly streams = new StreamTable();
  readonly past = new PastStreams();
  readonly window: ConnectionWindow;
  /** When the bytes at hand were read. */
  readAt: number;
  private reading = false;
  /** The highest stream that the peer has opened. */
  lastPeerId = 0;
  /** Streams of the peer above it are not looked at: GOAWAY has said so. */
  acceptUpTo = F.MAX_WINDOW;
  peerMaxStreams = UNSETTLED_STREAMS;
  peerAllowsConnect = false;
  settled = false;
  /** Our SETTINGS are. */
  acknowledged = false;
  goingAway = false;
  closed = false;
  idleSince: number;
  private readonly options: SessionOptions;
  private readonly turn: WriteTurn;
  private readonly reader: FrameReader;
  private readonly deadlines: Deadlines;
  private conn: Http2Conn | undefined = undefined;
  nextId = 1;
  private end: SessionEnd | undefined = undefined;
  private peerGone = false;
  /** GOAWAY was announced, but the last stream not yet named. */
  private draining = false;
  /** The connection is as good as gone; only `onClosed` is still to come. */
  private over = false;
  private pingSentAt = 0;
  /** Answered before their requests were over. */
  private early: OpenStream[] = [];

  constructor(options: SessionOptions) {
    const { role, limits, stats, handler, clock } = options;
    this.options = options;
    this.server = role === "server";
    this.limits = limits;
    this.stats = stats;
    this.handler = handler;
    this.turn = options.turn ?? eventLoopTurn;
    this.guard = new FloodGuard(limits);
    this.output = new Output(this, limits);
    this.sending = new Sending(this.output, this);
    this.window = new ConnectionWindow(this.output, limits.connectionWindow);
    this.reader = new FrameReader(new Receiving(this), {
      server: this.server,
      maxBlock: limits.headerListBytes + BLOCK_MARGIN,
      maxEmpty: limits.emptyFrames,
    });
    this.deadlines = new Deadlines(options, (deadline) => this.onDeadline(deadline));
    this.readAt = clock.now();
    this.idleSince = this.readAt;
  }

  get activeStreams(): number {
    return this.streams.size;
  }

  get maxConcurrentStreams(): number {
    return Math.min(this.peerMaxStreams, this.limits.maxConcurrentStreams);
  }

  /** The stream that the last header block said it depends on. */
  get depends(): number {
    return this.reader.depends;
  }

  start(conn: Http2Conn): void {
    const { limits, output } = this;
    if (this.closed) return;
    this.conn = conn;
    output.start(conn);
    writeGreeting(output, limits, { server: this.server, window: this.firstWindow() });
    this.window.open();
    this.deadlines.set("head", HEAD_TIMEOUT_MS);
    if (limits.keepAliveIntervalMs > 0) this.deadlines.set("ping", limits.keepAliveIntervalMs);
  }

  onData(data: Buffer, length: number): boolean {
    if (this.over) return true;
    this.readAt = this.options.clock.now();
    this.guard.refill(this.readAt);
    this.reading = true;
    this.reader.feed(data, length);
    this.reading = false;
    if (this.reader.waiting !== this.deadlines.isSet("head") && !this.over) {
      if (this.reader.waiting) this.deadlines.set("head", HEAD_TIMEOUT_MS);
      else this.deadlines.clear("head");
    }
    return true;
  }

  // Streams.

  firstWindow(): number {
    return Math.min(this.limits.streamWindow, FIRST_WINDOW);
  }

  nextWindow(size: number, slow: boolean): number {
    return slow ? Math.max(this.firstWindow(), size >> 1) : Math.min(this.limits.streamWindow, size * 2);
  }

  open(block: HeaderBlock, endStream: boolean, user: StreamUser): OpenStream | undefined {
    if (this.goingAway || this.conn === undefined || this.streams.size >= this.maxConcurrentStreams) return undefined;
    const id = this.nextId;
    this.nextId += 2;
    if (this.nextId > F.MAX_WINDOW) this.leave(H2.NO_ERROR);
    const stream = this.addStream(id);
    stream.user = user;
    for (const { name, value } of block) {
      if (name !== ":method") continue;
      stream.tunnel = value === "CONNECT";
      stream.bodiless = value === "HEAD";
      break;
    }
    stream.sendHeaders(block, endStream);
    return stream;
  }

  addStream(id: number): OpenStream {
    // Until the peer has our SETTINGS it goes by the default.
    const window = this.acknowledged ? this.firstWindow() : Math.max(this.firstWindow(), F.DEFAULT_WINDOW);
    const stream = new OpenStream(this, id, this.sending.initialWindow, window);
    this.streams.add(stream);
    this.stats.streamsActive.value++;
    this.guard.opened(this.streams.size);
    return stream;
  }

  /** It is no more: nothing is sent or told any longer. */
  private remove(stream: OpenStream, how: HowEnded): void {
    stream.closed = true;
    this.streams.delete(stream);
    this.past.add(stream.id, how);
    this.stats.streamsActive.value--;
    this.sending.drop(stream);
    if (how !== ENDED) stream.dropHeld();
    if (this.streams.size === 0) this.idleSince = this.reading ? this.readAt : this.options.clock.now();
  }

  /** `fault`: the peer gave it up, or broke the protocol on it. */
  private removed(stream: OpenStream, fault: boolean): void {
    this.handler.onStreamClosed(stream);
    if (this.server) {
      const fine = fault && stream.answered ? this.guard.fault() : this.guard.requestOver(fault, this.readAt - stream.openedAt);
      if (!fine) this.flood();
    }
    this.finishIfDone();
  }

  onWaiting(): void {
    const { flushTimeoutMs } = this.limits;
    if (flushTimeoutMs > 0 && !this.over && !this.deadlines.isSet("flush")) this.deadlines.set("flush", flushTimeoutMs);
  }

  /** Streams that are only waiting for the peer to read, and of which it read nothing since the last time, are over. */
  private endStuck(): void {
    for (const stream of this.streams.all()) {
      if (stream.queued === 0 || stream.closed) continue;
      if (stream.localEnded && stream.queued === stream.stuck) {
        this.stats.txFlushTimeout.value++;
        this.streamError(stream, H2.CANCEL, "idle");
        continue;
      }
      stream.stuck = stream.queued;
      this.onWaiting();
    }
  }

  onLocalDone(stream: OpenStream): void {
    if (stream.closed) return;
    stream.localDone = true;
    if (stream.remoteDone) this.finishStream(stream);
    // The rest of the request is not wanted (section 8.1), unless it is just coming.
    else if (this.server && !stream.tunnel) this.early.push(stream);
  }

  onRemoteDone(stream: OpenStream): void {
    if (stream.localDone && !stream.closed) this.finishStream(stream);
  }

  private finishStream(stream: OpenStream): void {
    this.remove(stream, ENDED);
    this.removed(stream, false);
  }

  /** The user's own reset. */
  resetStream(stream: OpenStream, code: number): void {
    this.output.reset(stream.id, code);
    this.stats.txReset.value++;
    this.remove(stream, RESET_HERE);
    this.removed(stream, false);
  }

  /** RST_STREAM because of what the peer, or the user, did on it (section 5.4.2). */
  streamError(stream: OpenStream, code: number, cause: ResetCause = "protocol"): void {
    if (stream.closed) return;
    this.output.reset(stream.id, code);
    this.output.countControl();
    this.stats.txReset.value++;
    this.remove(stream, RESET_HERE);
    stream.user?.onReset(code, cause);
    this.removed(stream, cause === "protocol");
  }

  /** The peer's RST_STREAM. */
  onPeerReset(stream: OpenStream, code: number): void {
    // A whole message may be followed by NO_ERROR: it is delivered all the same.
    const whole = stream.holds && stream.remoteDone && code === H2.NO_ERROR;
    this.remove(stream, whole ? ENDED : RESET_BY_PEER);
    if (!whole) stream.user?.onReset(code, code === H2.REFUSED_STREAM ? "refused" : "peer");
    this.removed(stream, true);
  }

  /** RST_STREAM for a stream that nobody has seen. */
  refuse(id: number, code: number): void {
    this.output.reset(id, code);
    this.output.countControl();
    this.stats.txReset.value++;
    this.past.add(id, RESET_HERE);
    if (!this.guard.fault()) this.flood();
  }

  creditConnection(bytes: number): void {
    if (!this.over) this.window.credit(bytes);
  }

  // The connection.

  onOutput(): void {
    this.turn.add(this);
  }

  flush(): void {
    if (this.early.length > 0) {
      const early = this.early;
      this.early = [];
      for (const stream of early) if (!stream.closed) this.resetStream(stream, H2.NO_ERROR);
    }
    this.output.flush();
  }

  onUncongested(): void {
    this.sending.pump();
  }

  onOutputFlood(what: "frames" | "control frames"): void {
    (what === "frames" ? this.stats.outboundFlood : this.stats.outboundControlFlood).value++;
    this.flood();
  }

  onInboundFlood(what: FrameFlood): void {
    if (what === "empty frames") this.stats.inboundEmptyFramesFlood.value++;
    this.flood();
  }

  flood(): void {
    this.fail(H2.ENHANCE_YOUR_CALM, "flood");
  }

  drain(): void {
    if (this.goingAway || this.over || this.conn === undefined) return;
    if (!this.server) {
      this.leave(H2.NO_ERROR);
      this.sayGoAway(0, H2.NO_ERROR);
      this.finishIfDone();
      return;
    }
    // What the client has sent until it knows of this is still served (section 6.8).
    this.draining = true;
    this.leave(H2.NO_ERROR);
    this.sayGoAway(F.MAX_WINDOW, H2.NO_ERROR);
    this.sendPing(PING_DRAIN);
    this.deadlines.set("drain", DRAIN_MS);
  }

  private endDrain(): void {
    if (!this.draining || this.over) return;
    this.draining = false;
    this.deadlines.clear("drain");
    this.acceptUpTo = this.lastPeerId;
    this.sayGoAway(this.lastPeerId, H2.NO_ERROR);
    this.finishIfDone();
  }

  /** The peer's GOAWAY: streams of ours above `last` were never looked at. */
  onPeerGoAway(last: number, code: number): void {
    this.peerGone = true;
    this.leave(code);
    if (!this.server)
      for (const stream of this.streams.all()) {
        if (stream.id <= last || stream.closed) continue;
        this.remove(stream, RESET_BY_PEER);
        stream.user?.onReset(H2.REFUSED_STREAM, "refused");
        this.handler.onStreamClosed(stream);
      }
    this.finishIfDone();
  }

  private leave(code: number): void {
    if (this.goingAway) return;
    this.goingAway = true;
    this.handler.onGoAway(code);
  }

  private finishIfDone(): void {
    if (this.over || this.streams.size > 0 || !this.goingAway) return;
    if (this.draining && !this.peerGone) return;
    this.finish(this.peerGone ? "peer" : "local", ENDED_MS);
  }

  close(code: number): void {
    this.fail(code, "local");
  }

  /** GOAWAY, and soon after it the end (section 5.4.1). */
  fail(code: number, end: SessionEnd): void {
    if (this.over || this.conn === undefined) return;
    this.sayGoAway(this.lastPeerId, code);
    this.leave(code);
    this.finish(end, BROKEN_MS);
    this.abandonStreams(code);
  }

  private sayGoAway(last: number, code: number): void {
    this.output.goAway(last, code);
    this.stats.goawaySent.value++;
  }

  /** Sends what is left and closes; the peer has `ms` to take it. */
  private finish(end: SessionEnd, ms: number): void {
    this.over = true;
    this.end ??= end;
    this.reader.stopped = true;
    this.output.flush();
    this.output.stop();
    this.deadlines.stop();
    this.deadlines.set("destroy", ms);
    this.conn?.end();
    this.leave(H2.NO_ERROR);
  }

  private abandonStreams(code: number): void {
    for (const stream of this.streams.all()) {
      if (stream.closed) continue;
      this.remove(stream, RESET_HERE);
      stream.user?.onReset(code, "connection");
      this.handler.onStreamClosed(stream);
    }
  }

  onEnd(): void {
    if (!this.over) this.finish("peer", BROKEN_MS);
    this.conn?.destroy();
  }

  onClose(code: string | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.over = true;
    this.reader.stopped = true;
    this.output.stop();
    this.deadlines.stop();
    this.leave(H2.NO_ERROR);
    this.abandonStreams(H2.CANCEL);
    this.handler.onClosed(this.end ?? "peer", code);
  }

  // Is the peer alive?

  private sendPing(mark: number): void {
    this.output.frame(F.PING, 0, 0, 8);
    this.output.u32(0);
    this.output.u32(mark);
  }

  onPong(mark: number): void {
    if (mark === PING_DRAIN) this.endDrain();
  }

  private onDeadline(deadline: Deadline): void {
    const { keepAliveIntervalMs, keepAliveTimeoutMs } = this.limits;
    switch (deadline) {
      case "destroy":
        this.conn?.destroy();
        break;
      case "head":
        this.fail(H2.ENHANCE_YOUR_CALM, "flood");
        break;
      case "flush":
        this.endStuck();
        break;
      case "drain":
        this.endDrain();
        break;
      case "ping":
        this.sendPing(PING_ALIVE);
        if (!this.deadlines.isSet("pong")) {
          this.pingSentAt = this.options.clock.now();
          this.deadlines.set("pong", keepAliveTimeoutMs);
        }
        this.deadlines.set("ping", keepAliveIntervalMs);
        break;
      case "pong":
        // Whatever came since counts as an answer.
        if (this.readAt >= this.pingSentAt) break;
        this.stats.keepaliveTimeout.value++;
        this.fail(H2.NO_ERROR, "keepalive");
        break;
    }
  }
}
