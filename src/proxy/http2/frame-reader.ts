// Bytes → frames, in whatever pieces they come. Checks what can be said of a frame by itself (RFC 9113 sections 4 and 6: sizes, padding, which stream,
// header blocks in one piece); what it means is the session's business. DATA is passed on as it comes, all else is held until it is whole.
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEAD,
  GOAWAY,
  H2,
  HEADERS,
  MAX_FRAME,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from "./frames.ts";
import { readLatin1 } from "./latin1.ts";

export type FrameFlood = "empty frames" | "continuation";

/** Gets the frames. `buf` is only valid until each call returns. */
export interface FrameSink {
  /** `cost` counts against the windows: payload and padding. `onDataPart` follows until `last`. */
  onData(id: number, cost: number, length: number, endStream: boolean): void;
  onDataPart(buf: Buffer, from: number, to: number, last: boolean): void;
  /** A whole header block. */
  onBlock(id: number, endStream: boolean, buf: Buffer, from: number, to: number): void;
  /** `depends` is the stream that it names; -1 = the frame has the wrong size. */
  onPriority(id: number, depends: number): void;
  onResetFrame(id: number, code: number): void;
  onSettingsFrame(buf: Buffer, from: number, to: number): void;
  onSettingsAck(): void;
  onPing(buf: Buffer, from: number): void;
  onPong(buf: Buffer, from: number): void;
  onGoAway(last: number, code: number): void;
  onWindowUpdate(id: number, increment: number): void;
  onUnknownFrame(): void;
  onBroken(code: number, what: string): void;
  onFlood(what: FrameFlood): void;
}

/** What comes next: a frame's head, or what is left of a DATA frame. */
const HEAD = 0;
const PAYLOAD = 1;
const PADDING = 2;

/** Frames that one header block may come in. */
const MAX_CONTINUATIONS = 32;

export class FrameReader {
  /** Nothing is read any more. */
  stopped = false;
  /** The stream that the last header block said it depends on; -1 = none. */
  depends = -1;
  private readonly sink: FrameSink;
  private readonly maxBlock: number;
  private readonly maxEmpty: number;
  private preface: boolean;
  private first = true;
  private partial: Buffer | undefined = undefined;
  /** What is still to come of the DATA frame under way. */
  private state = HEAD;
  private left = 0;
  private padding = 0;
  private empty = 0;
  private block: Buffer[] | undefined = undefined;
  private blockBytes = 0;
  private blockId = 0;
  private blockEnds = false;

  /** `maxBlock` bounds a header block's bytes as they are sent. */
  constructor(sink: FrameSink, options: { readonly server: boolean; readonly maxBlock: number; readonly maxEmpty: number }) {
    this.sink = sink;
    this.preface = options.server;
    this.maxBlock = options.maxBlock;
    this.maxEmpty = options.maxEmpty;
  }

  /** Something must follow soon: the preface, SETTINGS, or the rest of a header block. */
  get waiting(): boolean {
    return this.first || this.block !== undefined || (this.partial !== undefined && this.partial[3] === HEADERS);
  }

  feed(data: Buffer, length: number): void {
    let buf = data;
    let n = length;
    if (this.partial !== undefined) {
      buf = Buffer.concat([this.partial, data.subarray(0, length)]);
      n = buf.length;
      this.partial = undefined;
    }
    let at = this.preface ? this.readPreface(buf, n) : 0;
    while (!this.stopped) {
      if (this.state === PAYLOAD) {
        const take = Math.min(this.left, n - at);
        if (take === 0 && this.left > 0) return;
        this.left -= take;
        at += take;
        const last = this.left === 0;
        if (last) this.state = this.padding > 0 ? PADDING : HEAD;
        this.sink.onDataPart(buf, at - take, at, last);
      } else if (this.state === PADDING) {
        const take = Math.min(this.padding, n - at);
        this.padding -= take;
        at += take;
        if (this.padding > 0) return;
        this.state = HEAD;
      } else {
        const next = this.preface || n - at < FRAME_HEAD ? -1 : this.readFrame(buf, at, n);
        if (next < 0) break;
        at = next;
      }
    }
    if (!this.stopped && at < n) this.partial = Buffer.from(buf.subarray(at, n));
  }

  private readPreface(buf: Buffer, n: number): number {
    const have = Math.min(n, PREFACE.length);
    if (readLatin1(buf, 0, have) !== PREFACE.slice(0, have)) {
      this.broken(H2.PROTOCOL_ERROR, "no preface");
      return n;
    }
    // What is missing of it is waited for like a frame.
    if (have < PREFACE.length) return 0;
    this.preface = false;
    return PREFACE.length;
  }

  private broken(code: number, what: string): number {
    this.stopped = true;
    this.sink.onBroken(code, what);
    return -1;
  }

  /** Position behind the frame at `at` (or into its payload, for DATA), or -1: it is not whole, or reading has stopped. */
  private readFrame(buf: Buffer, at: number, n: number): number {
    const length = ((buf[at] as number) << 16) | ((buf[at + 1] as number) << 8) | (buf[at + 2] as number);
    const type = buf[at + 3] as number;
    const flags = buf[at + 4] as number;
    const id = readU31(buf, at + 5);
    if (this.first && (type !== SETTINGS || (flags & ACK) !== 0)) return this.broken(H2.PROTOCOL_ERROR, "no SETTINGS first");
    if (length > MAX_FRAME) return this.broken(H2.FRAME_SIZE_ERROR, "frame too large");
    if (this.block !== undefined && (type !== CONTINUATION || id !== this.blockId)) {
      return this.broken(H2.PROTOCOL_ERROR, "header block interrupted");
    }
    if (type === DATA) return this.beginData(buf, at, n, { id, flags, length });
    const from = at + FRAME_HEAD;
    const to = from + length;
    // A wrong one is not waited for.
    if (!this.fits(type, flags, length, id) || to > n) return -1;
    this.first = false;
    switch (type) {
      case HEADERS:
        this.readHeaders(buf, from, to, { id, flags });
        break;
      case CONTINUATION:
        this.readContinuation(buf, from, to, flags);
        break;
      case PRIORITY:
        this.sink.onPriority(id, length === 5 ? readU31(buf, from) : -1);
        break;
      case RST_STREAM:
        this.sink.onResetFrame(id, buf.readUInt32BE(from));
        break;
      case SETTINGS:
        if ((flags & ACK) !== 0) this.sink.onSettingsAck();
        else this.sink.onSettingsFrame(buf, from, to);
        break;
      case PING:
        if ((flags & ACK) !== 0) this.sink.onPong(buf, from);
        else this.sink.onPing(buf, from);
        break;
      case GOAWAY:
        this.sink.onGoAway(readU31(buf, from), buf.readUInt32BE(from + 4));
        break;
      case WINDOW_UPDATE:
        this.sink.onWindowUpdate(id, readU31(buf, from));
        break;
      default:
        this.sink.onUnknownFrame();
    }
    return to;
  }

  /** Whether the frame's length and stream are what its type asks for; else the connection is given up. */
  private fits(type: number, flags: number, length: number, id: number): boolean {
    let size = true;
    let stream = true;
    switch (type) {
      case HEADERS:
        stream = id !== 0;
        break;
      case CONTINUATION:
        stream = this.block !== undefined;
        break;
      case PRIORITY:
        // Its size is the stream's problem alone (section 6.3).
        stream = id !== 0;
        break;
      case RST_STREAM:
        stream = id !== 0;
        size = length === 4;
        break;
      case SETTINGS:
        stream = id === 0;
        size = (flags & ACK) !== 0 ? length === 0 : length % 6 === 0;
        break;
      case PING:
        stream = id === 0;
        size = length === 8;
        break;
      case GOAWAY:
        stream = id === 0;
        size = length >= 8;
        break;
      case WINDOW_UPDATE:
        size = length === 4;
        break;
      case PUSH_PROMISE:
        // Nobody may push: a client has said so, and a server never may be pushed to.
        stream = false;
        break;
      default:
    }
    if (!stream) this.broken(H2.PROTOCOL_ERROR, "wrong stream");
    else if (!size) this.broken(H2.FRAME_SIZE_ERROR, "wrong frame size");
    return stream && size;
  }

  /** False = one too many without payload. */
  private countEmpty(empty: boolean): boolean {
    if (!empty) this.empty = 0;
    else if (++this.empty > this.maxEmpty) {
      this.stopped = true;
      this.sink.onFlood("empty frames");
      return false;
    }
    return true;
  }

  private beginData(buf: Buffer, at: number, n: number, frame: { id: number; flags: number; length: number }): number {
    const { id, flags, length } = frame;
    if (id === 0) return this.broken(H2.PROTOCOL_ERROR, "DATA without a stream");
    let payload = length;
    let from = at + FRAME_HEAD;
    if ((flags & PADDED) !== 0) {
      if (length === 0) return this.broken(H2.FRAME_SIZE_ERROR, "no padding length");
      if (from >= n) return -1;
      const padding = buf[from++] as number;
      payload -= 1 + padding;
      if (payload < 0) return this.broken(H2.PROTOCOL_ERROR, "too much padding");
      this.padding = padding;
    }
    const endStream = (flags & END_STREAM) !== 0;
    if (!this.countEmpty(payload === 0 && !endStream)) return -1;
    this.left = payload;
    this.state = PAYLOAD;
    this.sink.onData(id, length, payload, endStream);
    return from;
  }

  private readHeaders(buf: Buffer, at: number, end: number, frame: { id: number; flags: number }): void {
    const { id, flags } = frame;
    let from = at;
    let to = end;
    this.depends = -1;
    if ((flags & PADDED) !== 0) {
      if (from >= to) {
        this.broken(H2.FRAME_SIZE_ERROR, "no padding length");
        return;
      }
      to -= buf[from++] as number;
    }
    if ((flags & WITH_PRIORITY) !== 0) {
      if (end - from < 5) {
        this.broken(H2.FRAME_SIZE_ERROR, "no priority");
        return;
      }
      this.depends = readU31(buf, from);
      from += 5;
    }
    if (to < from) {
      this.broken(H2.PROTOCOL_ERROR, "too much padding");
      return;
    }
    const endStream = (flags & END_STREAM) !== 0;
    if (!this.countEmpty(from === to && !endStream)) return;
    if ((flags & END_HEADERS) !== 0) {
      this.sink.onBlock(id, endStream, buf, from, to);
      return;
    }
    this.block = [Buffer.from(buf.subarray(from, to))];
    this.blockBytes = to - from;
    this.blockId = id;
    this.blockEnds = endStream;
  }

  private readContinuation(buf: Buffer, from: number, to: number, flags: number): void {
    const block = this.block as Buffer[];
    if (!this.countEmpty(from === to)) return;
    block.push(Buffer.from(buf.subarray(from, to)));
    this.blockBytes += to - from;
    if (this.blockBytes > this.maxBlock || block.length > MAX_CONTINUATIONS) {
      this.stopped = true;
      this.sink.onFlood("continuation");
      return;
    }
    if ((flags & END_HEADERS) === 0) return;
    this.block = undefined;
    const whole = Buffer.concat(block);
    this.sink.onBlock(this.blockId, this.blockEnds, whole, 0, whole.length);
  }
}

function readU31(buf: Buffer, at: number): number {
  return (((buf[at] as number) & 127) << 24) | ((buf[at + 1] as number) << 16) | ((buf[at + 2] as number) << 8) | (buf[at + 3] as number);
}
