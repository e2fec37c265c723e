// One stream: its two sides, what waits in it either way, and the credit that its reader has earned for the peer (RFC 9113 sections 5.1 and 5.2).
import { ByteQueue } from "./byte-queue.ts";
import type { Block } from "./block.ts";
import { H2 } from "./frames.ts";
import type { HeaderBlock, Http2Stream, StreamUser } from "./stream.ts";
import type { Session } from "./session.ts";

export class OpenStream implements Http2Stream {
  readonly id: number;
  readonly session: Session;
  user: StreamUser | undefined = undefined;
  /** In the session's table. */
  nextInSlot: OpenStream | undefined = undefined;
  closed = false;
  details = "";
  readonly openedAt: number;

  // What goes out.
  localEnded = false;
  /** The end has been written. */
  localDone = false;
  /** The final head was sent. */
  answered = false;
  sendWindow: number;
  /** What waited when the session last looked. */
  stuck = 0;
  /** Bytes that wait, in `queue`. */
  queued = 0;
  queue: ByteQueue | undefined = undefined;
  trailers: HeaderBlock | undefined = undefined;
  /** Stands in line to send. */
  ready = false;
  nextReady: OpenStream | undefined = undefined;
  private refused = false;
  private waiters: (() => void)[] | undefined = undefined;

  // What comes in.
  /** END_STREAM has come, though not all may be delivered. */
  remoteDone = false;
  remoteEnded = false;
  /** The final head has come (client). */
  headed = false;
  informational = 0;
  /** Bytes that the peer said it would send; -1 = it did not. */
  expected = -1;
  received = 0;
  /** No body may come, whatever its length is said to be. */
  bodiless = false;
  /** CONNECT: each side ends for itself. */
  tunnel = false;
  /** What the peer may still send, and what it may have under way at most. */
  recvWindow: number;
  private recvSize: number;
  /** Delivered, while the reader was paused by then. */
  private owed = 0;
  private pausedSince = false;
  private paused = false;
  private delivering = false;
  private held: ByteQueue | undefined = undefined;
  private heldTrailers: Block | undefined = undefined;
  private heldEnd = false;

  constructor(session: Session, id: number, sendWindow: number, recvWindow: number) {
    this.session = session;
    this.id = id;
    this.openedAt = session.readAt;
    this.sendWindow = sendWindow;
    this.recvWindow = recvWindow;
    this.recvSize = recvWindow;
  }

  sendHeaders(block: HeaderBlock, endStream: boolean): boolean {
    if (this.closed || this.localEnded) return false;
    // 1xx: a status that starts with "1" is no answer yet.
    if (block[0]?.value.charCodeAt(0) !== 49) this.answered = true;
    if (endStream) this.localEnded = true;
    this.session.sending.block(this, block, endStream);
    return true;
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    if (this.closed || this.localEnded) return true;
    if (endStream) this.localEnded = true;
    return this.session.sending.data(this, data, endStream) || this.isBounded();
  }

  sendText(text: string, endStream: boolean): boolean {
    if (this.closed || this.localEnded) return true;
    if (endStream) this.localEnded = true;
    return this.session.sending.text(this, text, endStream) || this.isBounded();
  }

  /** False: there was no room; the stream is reset where that went on for too long. */
  private isBounded(): boolean {
    this.refused = true;
    if (this.queued > this.session.limits.queuedBytes) this.session.streamError(this, H2.INTERNAL_ERROR, "overflow");
    return false;
  }

  sendTrailers(block: HeaderBlock): boolean {
    if (this.closed || this.localEnded) return false;
    this.localEnded = true;
    if (this.queued > 0) this.trailers = block;
    else this.session.sending.block(this, block, true);
    return true;
  }

  reset(code: number): void {
    if (this.closed) this.dropHeld();
    else this.session.resetStream(this, code);
  }

  pending(): number {
    return this.queued;
  }

  whenFlushed(fn: () => void): void {
    if (this.queued === 0) fn();
    else (this.waiters ??= []).push(fn);
  }

  /** All that waited has been written. */
  onEmptied(): void {
    const { waiters, refused } = this;
    this.waiters = undefined;
    this.refused = false;
    if (waiters !== undefined) for (const fn of waiters) fn();
    if (refused && !this.closed && !this.localEnded) this.user?.onWritable();
  }

  pause(): void {
    this.paused = true;
    this.pausedSince = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.delivering) return;
    const { owed } = this;
    this.owed = 0;
    if (owed > 0) this.credit(owed);
    this.deliverHeld();
  }

  /** Payload of a DATA frame, or a part of it; the session has checked it against windows and lengths. */
  receive(data: Buffer, end: boolean): void {
    if (end) this.remoteDone = true;
    if (this.paused || this.delivering || this.held !== undefined) {
      this.hold(data);
      this.heldEnd = end;
    } else if (data.length > 0 || end) this.deliver(data, end);
    if (end) this.session.onRemoteDone(this);
  }

  receiveTrailers(block: Block): void {
    this.remoteDone = true;
    if (this.paused || this.delivering || this.held !== undefined) this.heldTrailers = block;
    else this.deliverTrailers(block);
    this.session.onRemoteDone(this);
  }

  private hold(data: Buffer): void {
    this.held ??= new ByteQueue();
    this.held.push(data, 0, data.length);
  }

  private deliver(data: Buffer, end: boolean): void {
    if (end) this.remoteEnded = true;
    this.delivering = true;
    this.user?.onData(data, end);
    this.delivering = false;
    if (this.paused) this.owed += data.length;
    else this.credit(data.length);
  }

  private deliverTrailers(block: Block): void {
    this.remoteEnded = true;
    this.user?.onTrailers(block);
  }

  private deliverHeld(): void {
    while (!this.paused && this.held !== undefined) {
      const piece = this.held.takePiece() ?? EMPTY;
      const all = this.held.bytes === 0;
      if (all) this.held = undefined;
      if (piece.length > 0 || (all && this.heldEnd)) this.deliver(piece, all && this.heldEnd);
    }
    const trailers = this.heldTrailers;
    if (this.paused || trailers === undefined) return;
    this.heldTrailers = undefined;
    this.deliverTrailers(trailers);
  }

  /** Nobody will read what is held. */
  dropHeld(): void {
    const bytes = this.owed + (this.held?.bytes ?? 0);
    this.owed = 0;
    this.held = undefined;
    this.heldTrailers = undefined;
    if (bytes > 0) this.session.creditConnection(bytes);
  }

  get holds(): boolean {
    return this.held !== undefined || this.heldTrailers !== undefined;
  }

  /** The reader is done with so many bytes. */
  private credit(bytes: number): void {
    this.session.creditConnection(bytes);
    this.creditStream();
  }

  /**
   * A stream starts with a small window. It doubles while the reader keeps up, and halves when it had to be paused: what a slow reader can make us
   * hold stays small, what a fast one can have under way does not.
   */
  creditStream(): void {
    if (this.closed || this.remoteDone) return;
    const out = this.recvWindow + this.owed + (this.held?.bytes ?? 0);
    if (this.recvSize - out < this.recvSize >> 1) return;
    this.recvSize = this.session.nextWindow(this.recvSize, this.pausedSince);
    this.pausedSince = this.paused;
    const increment = this.recvSize - out;
    if (increment <= 0) return;
    this.recvWindow += increment;
    this.session.output.windowUpdate(this.id, increment);
  }
}

const EMPTY = Buffer.alloc(0);
