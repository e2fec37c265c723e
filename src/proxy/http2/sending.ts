// The sending half of a session: header blocks at once, DATA as the peer's windows and the connection allow. What may not go yet waits with its stream;
// streams take turns, a frame each (RFC 9113 section 5.2).
import type { Http2Limits } from "../config/index.ts";
import type { Gauge } from "../observe/stats.ts";
import { ByteQueue } from "./byte-queue.ts";
import { DATA, DEFAULT_WINDOW, END_STREAM, MAX_FRAME, MAX_WINDOW } from "./frames.ts";
import type { FloodGuard } from "./flood-guard.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import type { OpenStream } from "./open-stream.ts";
import type { Output } from "./output.ts";
import type { StreamTable } from "./stream-table.ts";
import type { HeaderBlock, Http2Stats } from "./stream.ts";

export interface SendingOwner {
  readonly limits: Http2Limits;
  readonly stats: Http2Stats;
  readonly guard: FloodGuard;
  /** Something waits now. */
  onWaiting(): void;
  /** The stream's end has been written. */
  onLocalDone(stream: OpenStream): void;
}

export class Sending {
  readonly encoder: HpackEncoder;
  /** What the peer allows on the connection, and on a stream to begin with. */
  private window = DEFAULT_WINDOW;
  initialWindow = DEFAULT_WINDOW;
  private readonly output: Output;
  private readonly owner: SendingOwner;
  private readonly waiting: Gauge;
  /** Streams with data and a window, in turn. */
  private first: OpenStream | undefined = undefined;
  private last: OpenStream | undefined = undefined;
  private pumping = false;

  constructor(output: Output, owner: SendingOwner) {
    this.output = output;
    this.owner = owner;
    this.waiting = owner.stats.pendingSendBytes;
    this.encoder = new HpackEncoder(owner.limits.headerTableSize);
  }

  block(stream: OpenStream, block: HeaderBlock, endStream: boolean): void {
    this.output.block(this.encoder, stream.id, block, endStream);
    if (endStream) this.owner.onLocalDone(stream);
  }

  /** False = some of it waits. */
  data(stream: OpenStream, data: Uint8Array, endStream: boolean): boolean {
    const { length } = data;
    let from = 0;
    if (stream.queued === 0) {
      if (length === 0) {
        if (endStream) this.end(stream);
        return true;
      }
      while (from < length) {
        const room = this.room(stream, length - from);
        if (room === 0) break;
        const last = from + room === length;
        this.output.frame(DATA, last && endStream ? END_STREAM : 0, stream.id, room);
        this.output.bytes(data, from, from + room);
        this.spend(stream, room);
        from += room;
      }
      if (from === length) {
        if (endStream) this.owner.onLocalDone(stream);
        return true;
      }
    }
    this.enqueue(stream, data, from);
    return false;
  }

  /** The same with latin1 text. */
  text(stream: OpenStream, text: string, endStream: boolean): boolean {
    const { length } = text;
    if (stream.queued > 0 || length === 0 || this.room(stream, length) < length)
      return this.data(stream, Buffer.from(text, "latin1"), endStream);
    this.output.frame(DATA, endStream ? END_STREAM : 0, stream.id, length);
    this.output.latin1(text);
    this.spend(stream, length);
    if (endStream) this.owner.onLocalDone(stream);
    return true;
  }

  end(stream: OpenStream): void {
    this.output.frame(DATA, END_STREAM, stream.id, 0);
    this.owner.onLocalDone(stream);
  }

  private room(stream: OpenStream, wanted: number): number {
    if (this.output.congested) return 0;
    return Math.max(0, Math.min(wanted, stream.sendWindow, this.window, MAX_FRAME));
  }

  private spend(stream: OpenStream, bytes: number): void {
    this.window -= bytes;
    stream.sendWindow -= bytes;
    this.owner.guard.sentData(1);
  }

  private enqueue(stream: OpenStream, data: Uint8Array, from: number): void {
    const bytes = data.length - from;
    stream.queue ??= new ByteQueue();
    stream.queue.push(data, from, data.length);
    stream.queued += bytes;
    this.waiting.value += bytes;
    this.makeReady(stream);
    this.owner.onWaiting();
  }

  /** What waits in the stream is thrown away. */
  drop(stream: OpenStream): void {
    this.waiting.value -= stream.queued;
    stream.queued = 0;
    stream.queue = undefined;
  }

  private makeReady(stream: OpenStream): void {
    if (stream.ready || stream.sendWindow <= 0 || stream.queued === 0) return;
    stream.ready = true;
    stream.nextReady = undefined;
    if (this.last === undefined) this.first = stream;
    else this.last.nextReady = stream;
    this.last = stream;
  }

  private takeReady(): OpenStream | undefined {
    const stream = this.first;
    if (stream === undefined) return undefined;
    this.first = stream.nextReady;
    if (this.first === undefined) this.last = undefined;
    stream.nextReady = undefined;
    stream.ready = false;
    return stream;
  }

  /** Sends what may go by now. */
  pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.window > 0 && !this.output.congested) {
      const stream = this.takeReady();
      if (stream === undefined) break;
      const room = this.room(stream, stream.queued);
      if (room === 0) continue;
      const ends = room === stream.queued && stream.localEnded && stream.trailers === undefined;
      this.output.frame(DATA, ends ? END_STREAM : 0, stream.id, room);
      this.output.fromQueue(stream.queue as ByteQueue, room);
      stream.queued -= room;
      this.waiting.value -= room;
      this.spend(stream, room);
      if (stream.queued > 0) this.makeReady(stream);
      else this.emptied(stream, ends);
    }
    this.pumping = false;
  }

  private emptied(stream: OpenStream, ended: boolean): void {
    if (stream.trailers !== undefined) this.block(stream, stream.trailers, true);
    else if (ended) this.owner.onLocalDone(stream);
    stream.onEmptied();
  }

  /** False = more than a window can hold (section 6.9.1); so for all below. */
  widen(increment: number): boolean {
    this.window += increment;
    if (this.window > MAX_WINDOW) return false;
    this.pump();
    return true;
  }

  widenStream(stream: OpenStream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW) return false;
    this.makeReady(stream);
    this.pump();
    return true;
  }

  /** SETTINGS_INITIAL_WINDOW_SIZE goes for the streams that are open, too (section 6.9.2). */
  setInitialWindow(value: number, streams: StreamTable): boolean {
    const delta = value - this.initialWindow;
    this.initialWindow = value;
    if (delta === 0) return true;
    for (const stream of streams.all()) {
      stream.sendWindow += delta;
      if (stream.sendWindow > MAX_WINDOW) return false;
      this.makeReady(stream);
    }
    return true;
  }
}
