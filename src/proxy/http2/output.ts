// Frames on their way out: written one behind the other into a buffer that is borrowed only while there is something in it, so an idle connection
// holds none, and given to the connection in one piece.
import { HIGH_WATER } from "../network/conn.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { type HpackEncoder, ENTRY_OVERHEAD } from "./hpack-encoder.ts";
import { CONTINUATION, END_HEADERS, END_STREAM, FRAME_HEAD, GOAWAY, HEADERS, MAX_FRAME, RST_STREAM, WINDOW_UPDATE } from "./frames.ts";
import { writeLatin1 } from "./latin1.ts";
import type { HeaderBlock, Http2Conn } from "./stream.ts";

/** Most turns write little; a buffer that gets full is exchanged for a large one, and that is written when it is full. */
const SMALL = 8192;
const LARGE = 65_536;
/** Buffers that are kept for whoever writes next, of either size. */
const MAX_SMALL = 512;
const MAX_LARGE = 16;
/** Written buffers that wait in the connection are lost to it; smaller writes are copied then. */
const COPY_BELOW = 16_384;
/** Headers and control frames do not wait for the peer to read, so this is what one that never does can cost. */
const MAX_PENDING = 16 * 1024 * 1024;
const SHORT = 48;

const small: Buffer[] = [];
const large: Buffer[] = [];

function borrow(length: number): Buffer {
  if (length <= SMALL) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL);
  return length > LARGE ? Buffer.allocUnsafeSlow(length) : (large.pop() ?? Buffer.allocUnsafeSlow(LARGE));
}

function giveBack(buf: Buffer): void {
  if (buf.length === SMALL && small.length < MAX_SMALL) small.push(buf);
  else if (buf.length === LARGE && large.length < MAX_LARGE) large.push(buf);
}

export interface OutputOwner {
  /** The first frame since the last `flush`. */
  onOutput(): void;
  /** The connection takes data again. */
  onUncongested(): void;
  /** The peer does not read what it asks for. */
  onOutputFlood(what: "frames" | "control frames"): void;
}

export class Output {
  /** The connection is slow: DATA waits with its stream. */
  congested = false;
  private readonly owner: OutputOwner;
  private readonly maxFrames: number;
  private readonly maxControl: number;
  private conn: Http2Conn | undefined = undefined;
  private buf: Buffer | undefined = undefined;
  private at = 0;
  private announced = false;
  private copies = false;
  private watching = false;
  private flooded = false;
  /** Written since nothing waited in the connection. */
  private frames = 0;
  private control = 0;
  private readonly drained: () => void;

  constructor(owner: OutputOwner, limits: { readonly outboundFrames: number; readonly outboundControlFrames: number }) {
    this.owner = owner;
    this.maxFrames = limits.outboundFrames;
    this.maxControl = limits.outboundControlFrames;
    this.drained = () => {
      this.watching = false;
      this.frames = 0;
      this.control = 0;
      if (!this.congested) return;
      this.congested = false;
      if (this.conn !== undefined) this.owner.onUncongested();
    };
  }

  start(conn: Http2Conn): void {
    this.conn = conn;
  }

  /** Nothing is written any more. */
  stop(): void {
    this.conn = undefined;
    this.release();
  }

  flush(): void {
    this.announced = false;
    this.write();
  }

  text(text: string): void {
    const buf = this.reserve(text.length);
    this.at += writeLatin1(buf, text, this.at);
  }

  /** A frame's head; its payload must follow. */
  frame(type: number, flags: number, id: number, length: number): void {
    if (++this.frames > this.maxFrames) this.checkFlood("frames");
    const buf = this.reserve(FRAME_HEAD + length);
    putHead(buf, this.at, length, (type << 8) | flags, id);
    this.at += FRAME_HEAD;
  }

  /** A frame that the peer made us send and that no window holds back. */
  countControl(): void {
    if (++this.control > this.maxControl) this.checkFlood("control frames");
  }

  u16(value: number): void {
    const buf = this.buf as Buffer;
    buf[this.at++] = value >>> 8;
    buf[this.at++] = value;
  }

  u32(value: number): void {
    const buf = this.buf as Buffer;
    buf[this.at++] = value >>> 24;
    buf[this.at++] = value >>> 16;
    buf[this.at++] = value >>> 8;
    buf[this.at++] = value;
  }

  bytes(data: Uint8Array, from: number, to: number): void {
    const buf = this.buf as Buffer;
    const length = to - from;
    if (length < SHORT) for (let i = 0; i < length; i++) buf[this.at + i] = data[from + i] as number;
    else buf.set(from === 0 && to === data.length ? data : data.subarray(from, to), this.at);
    this.at += length;
  }

  latin1(text: string): void {
    this.at += writeLatin1(this.buf as Buffer, text, this.at);
  }

  fromQueue(queue: ByteQueue, count: number): void {
    queue.take(this.buf as Buffer, this.at, count);
    this.at += count;
  }

  reset(id: number, code: number): void {
    this.frame(RST_STREAM, 0, id, 4);
    this.u32(code);
  }

  windowUpdate(id: number, increment: number): void {
    this.frame(WINDOW_UPDATE, 0, id, 4);
    this.u32(increment);
  }

  goAway(last: number, code: number): void {
    this.frame(GOAWAY, 0, 0, 8);
    this.u32(last);
    this.u32(code);
  }

  /** HEADERS, and as many CONTINUATION frames as it takes. */
  block(encoder: HpackEncoder, id: number, block: HeaderBlock, endStream: boolean): void {
    let need = ENTRY_OVERHEAD;
    for (let i = 0; i < block.length; i++) {
      const { name, value } = block[i] as HeaderBlock[number];
      need += name.length + value.length + ENTRY_OVERHEAD;
    }
    if (++this.frames > this.maxFrames) this.checkFlood("frames");
    const buf = this.reserve(need + FRAME_HEAD * (1 + Math.ceil(need / MAX_FRAME)));
    const start = this.at + FRAME_HEAD;
    const end = encoder.encode(block, buf, start);
    const length = end - start;
    const flags = endStream ? END_STREAM : 0;
    if (length <= MAX_FRAME) {
      putHead(buf, this.at, length, (HEADERS << 8) | flags | END_HEADERS, id);
      this.at = end;
      return;
    }
    const frames = Math.ceil(length / MAX_FRAME);
    // From the back, so that nothing is overwritten before it was moved.
    for (let i = frames - 1; i > 0; i--) {
      const from = start + i * MAX_FRAME;
      const to = Math.min(from + MAX_FRAME, end);
      const head = from + (i - 1) * FRAME_HEAD;
      buf.copyWithin(head + FRAME_HEAD, from, to);
      putHead(buf, head, to - from, (CONTINUATION << 8) | (i === frames - 1 ? END_HEADERS : 0), id);
    }
    putHead(buf, this.at, MAX_FRAME, (HEADERS << 8) | flags, id);
    this.at = end + (frames - 1) * FRAME_HEAD;
  }

  private reserve(length: number): Buffer {
    if (!this.announced) {
      this.announced = true;
      this.owner.onOutput();
    }
    const need = this.at + length;
    if (this.buf !== undefined && need > this.buf.length) {
      if (need > LARGE) this.write();
      else this.exchange(this.buf);
    }
    this.buf ??= borrow(length);
    return this.buf;
  }

  private exchange(buf: Buffer): void {
    const next = borrow(LARGE);
    buf.copy(next, 0, 0, this.at);
    giveBack(buf);
    this.buf = next;
  }

  private write(): void {
    const { conn, buf } = this;
    if (conn === undefined || buf === undefined || this.at === 0) {
      this.release();
      return;
    }
    const view = buf.subarray(0, this.at);
    if (this.copies && this.at <= COPY_BELOW) {
      this.copies = !conn.writeSub(Buffer.from(view));
      this.release();
    } else if (conn.writeSub(view)) {
      this.copies = false;
      this.release();
    } else {
      this.copies = true;
      this.buf = undefined;
      this.at = 0;
    }
    this.watch(conn);
  }

  private watch(conn: Http2Conn): void {
    const pending = conn.pending();
    if (pending === 0) {
      this.frames = 0;
      this.control = 0;
      return;
    }
    if (pending > HIGH_WATER) this.congested = true;
    if (pending > MAX_PENDING) this.flood("frames");
    if (this.watching || (!this.congested && this.control < this.maxControl >> 2 && this.frames < this.maxFrames >> 2)) return;
    this.watching = true;
    conn.whenFlushed(this.drained);
  }

  private checkFlood(what: "frames" | "control frames"): void {
    this.write();
    if (this.frames > this.maxFrames || this.control > this.maxControl) this.flood(what);
  }

  private flood(what: "frames" | "control frames"): void {
    if (this.flooded) return;
    this.flooded = true;
    this.owner.onOutputFlood(what);
  }

  private release(): void {
    this.at = 0;
    if (this.buf !== undefined) giveBack(this.buf);
    this.buf = undefined;
  }
}

function putHead(buf: Buffer, at: number, length: number, typeAndFlags: number, id: number): void {
  buf[at] = length >>> 16;
  buf[at + 1] = length >>> 8;
  buf[at + 2] = length;
  buf[at + 3] = typeAndFlags >>> 8;
  buf[at + 4] = typeAndFlags;
  buf[at + 5] = id >>> 24;
  buf[at + 6] = id >>> 16;
  buf[at + 7] = id >>> 8;
  buf[at + 8] = id;
}
