// The other end of an HTTP/2 session, without sockets: says whatever frames a test wants, and reads what comes back. Time moves by hand.
import type { Http2Limits } from "../config/index.ts";
import { createManualClock } from "../../kit/testing/manual-clock.ts";
import { Http2Header } from "../http2/header.ts";
import { HpackDecoder } from "../http2/hpack-decoder.ts";
import { HpackEncoder } from "../http2/hpack-encoder.ts";
import { createHttp2Stats } from "../http2/http2-stats.ts";
import { http2Limits } from "../http2/limits.ts";
import { createHttp2Session } from "../http2/session.ts";
import type { Http2Conn, Http2Session, Http2Stats, Http2Stream, ReceivedBlock, SessionHandler, StreamUser } from "../http2/stream.ts";
import { createWriteTurn } from "../http2/write-turn.ts";
import { createTimerWheel } from "../network/timer-wheel.ts";

export const TYPE = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
] as const;
export type FrameType = (typeof TYPE)[number];

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
export const BIG = { headerTableSize: 4096, headerListBytes: 1 << 24, headerCount: 1 << 20 };

export interface Frame {
  readonly type: FrameType | number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

export function frame(type: FrameType | number, flags: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = typeof type === "number" ? type : TYPE.indexOf(type);
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export function u32(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => out.writeUInt32BE(value >>> 0, i * 4));
  return out;
}

export function settings(...pairs: [id: number, value: number][]): Buffer {
  return frame("SETTINGS", 0, 0, Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id]), u32(value)]))));
}

export function parseFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({
      type: TYPE[bytes.readUInt8(at + 3)] ?? bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      id: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export function fields(list: Fields): Http2Header[] {
  return list.map(([name, value]) => new Http2Header(name, value));
}

export function encode(encoder: HpackEncoder, list: Fields): Buffer {
  const out = Buffer.alloc(64 + list.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0));
  return out.subarray(0, encoder.encode(fields(list), out, 0));
}

export const GET: Fields = [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "a.test"],
  [":path", "/"],
];
export const POST: Fields = [[":method", "POST"], ...GET.slice(1)];

/** A connection that keeps what is written, and is as slow as the test says. */
export class FakeConn implements Http2Conn {
  written: Buffer[] = [];
  writes = 0;
  /** What is written stays in the connection until `release`. */
  slow = false;
  waiting = 0;
  ended = false;
  destroyed = false;
  private waiters: (() => void)[] = [];

  writeSub(view: Uint8Array): boolean {
    this.writes++;
    this.written.push(Buffer.from(view));
    if (this.slow) this.waiting += view.length;
    return !this.slow;
  }
  pending(): number {
    return this.waiting;
  }
  whenFlushed(fn: () => void): void {
    if (this.waiting === 0) fn();
    else this.waiters.push(fn);
  }
  release(): void {
    this.waiting = 0;
    for (const fn of this.waiters.splice(0)) fn();
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** Notes everything that a stream reports, and answers nothing. */
export class Recorder implements StreamUser {
  readonly events: string[] = [];
  data = "";
  blocks: ReceivedBlock[] = [];
  trailers: ReceivedBlock | undefined = undefined;
  resets: string[] = [];
  ended = false;
  writable = 0;
  /** Runs inside `onData`. */
  afterData: (() => void) | undefined = undefined;

  onHeaders(block: ReceivedBlock, endStream: boolean): void {
    this.blocks.push(block);
    this.ended ||= endStream;
    this.events.push(`headers ${block.status}${endStream ? " end" : ""}`);
  }
  onData(data: Buffer, endStream: boolean): void {
    this.data += data.toString("latin1");
    this.ended ||= endStream;
    this.events.push(`data ${data.length}${endStream ? " end" : ""}`);
    this.afterData?.();
  }
  onTrailers(block: ReceivedBlock): void {
    this.trailers = block;
    this.ended = true;
    this.events.push("trailers");
  }
  onReset(code: number, cause: string): void {
    this.resets.push(`${code} ${cause}`);
    this.events.push(`reset ${code} ${cause}`);
  }
  onWritable(): void {
    this.writable++;
    this.events.push("writable");
  }
}

export interface Received {
  readonly stream: Http2Stream;
  readonly block: ReceivedBlock;
  readonly user: Recorder;
}

export interface PeerOptions {
  readonly limits?: Partial<Http2Limits>;
  /** Sends preface (to servers) and SETTINGS by itself; default true. */
  readonly greet?: boolean;
}

/** A session under test and everything around it. */
export class Peer {
  readonly session: Http2Session;
  readonly conn = new FakeConn();
  readonly stats: Http2Stats;
  readonly requests: Received[] = [];
  readonly oversized: Received[] = [];
  readonly malformed: string[] = [];
  readonly ends: string[] = [];
  closedStreams = 0;
  settingsSeen = 0;
  goAways: number[] = [];
  onRequest: ((received: Received) => void) | undefined = undefined;
  readonly encoder = new HpackEncoder();
  readonly advance: (ms: number) => void;
  private readonly decoder = new HpackDecoder(BIG);
  private readonly queue: (() => void)[] = [];

  constructor(role: "server" | "client", options: PeerOptions = {}) {
    const clock = createManualClock(1000);
    this.advance = (ms) => clock.advance(ms);
    this.stats = createHttp2Stats(
      () => ({ value: 0 }),
      () => ({ value: 0 }),
    );
    const note = (list: Received[], stream: Http2Stream, block: ReceivedBlock): Received => {
      const received = { stream, block, user: new Recorder() };
      stream.user = received.user;
      list.push(received);
      return received;
    };
    const handler: SessionHandler = {
      onRequest: (stream, block, endStream) => {
        const received = note(this.requests, stream, block);
        received.user.ended = endStream;
        this.onRequest?.(received);
      },
      onOversizedRequest: (stream, block) => {
        note(this.oversized, stream, block);
        stream.sendHeaders(fields([[":status", "431"]]), true);
      },
      onMalformedRequest: (details) => void this.malformed.push(details),
      onStreamClosed: () => void this.closedStreams++,
      onSettings: () => void this.settingsSeen++,
      onGoAway: (code) => void this.goAways.push(code),
      onClosed: (end) => void this.ends.push(end),
    };
    this.session = createHttp2Session({
      role,
      limits: http2Limits(options.limits),
      stats: this.stats,
      handler,
      clock,
      wheel: createTimerWheel(clock),
      turn: createWriteTurn((fn) => void this.queue.push(fn)),
    });
    this.session.start(this.conn);
    if (options.greet === false) return;
    if (role === "server") this.say(PREFACE, settings());
    else this.say(settings());
    this.frames();
  }

  /** Bytes to the session, in one read. */
  say(...parts: Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    this.session.onData(bytes, bytes.length);
  }

  headers(id: number, list: Fields, endStream = true): Buffer {
    return frame("HEADERS", 4 | (endStream ? 1 : 0), id, encode(this.encoder, list));
  }

  /** Lets the session write. */
  settle(): void {
    for (const fn of this.queue.splice(0)) fn();
  }

  /** Frames that came since the last call (or everything that is not of the greeting). */
  frames(): Frame[] {
    this.settle();
    const bytes = Buffer.concat(this.conn.written.splice(0));
    const at = bytes.subarray(0, PREFACE.length).equals(PREFACE) ? PREFACE.length : 0;
    return parseFrames(bytes.subarray(at));
  }

  /** The frames in short: "RST_STREAM 1 8", "GOAWAY 0 1", "DATA 1 5 end", "HEADERS 1 :status=200 end". */
  said(): string[] {
    return this.frames().map((f) => this.describe(f));
  }

  decode(payload: Buffer): string {
    if (!this.decoder.decode(payload, 0, payload.length)) throw new Error("not HPACK");
    return this.decoder.headers.map(({ name, value }) => `${name}=${value}`).join(" ");
  }

  private describe({ type, flags, id, payload }: Frame): string {
    const end = (flags & 1) !== 0 ? " end" : "";
    switch (type) {
      case "HEADERS":
        return `HEADERS ${id} ${this.decode(payload)}${end}`;
      case "DATA":
        return `DATA ${id} ${payload.length}${end}`;
      case "RST_STREAM":
        return `RST_STREAM ${id} ${payload.readUInt32BE(0)}`;
      case "GOAWAY":
        return `GOAWAY ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`;
      case "WINDOW_UPDATE":
        return `WINDOW_UPDATE ${id} ${payload.readUInt32BE(0)}`;
      case "SETTINGS":
      case "PING":
        return (flags & 1) !== 0 ? `${type} ack` : type;
      default:
        return `${type} ${id} ${payload.length}`;
    }
  }
}
