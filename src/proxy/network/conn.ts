// The socket port: what the proxy needs of a connection, small enough that another runtime's sockets can fill it too.
// `onread` with a buffer of our own upstream and one write per message are what makes raw sockets fast on Node.
import net from "node:net";
import type { TcpKeepalive } from "../config/index.ts";
import { type ClientTransport, openTransport, TransportError } from "../transport/client-transport.ts";
import { tlsErrorText } from "../transport/tls-error.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import { type ConnectTarget, connectOptions } from "./connect-target.ts";
import { BLOCK_BYTES, giveBlock, takeBlock } from "./copy-blocks.ts";
import { setKeepalive } from "./keepalive.ts";
import { readShared } from "./shared-read.ts";
import { connectErrorText } from "./system-error.ts";

/** Bytes are stopped at the sender while more than this waits to be written. */
export const HIGH_WATER = 131_072;
/** One read takes at most this much upstream. Pages that no read reaches cost no memory. */
const READ_BUFFER = 131_072;
/** Copies of this size and more go into blocks; smaller ones into memory of their own size. */
const BLOCK_FROM = 16_384;
/** Room in front of it, where a rewritten head is put so that head and body leave in one write. */
const HEADROOM = 4096;
/** Parts up to this size go as text: that costs less than a buffer of their own. */
export const TEXT_BELOW = 2048;
/** A TLS record holds no more. */
const TLS_READ = 16_384;

export interface ConnHandler {
  /** `data[0, length)` belongs to the connection again when this returns: what is kept is copied. A dialled connection may return false: still in
   * use, reading stops until `resume()`. */
  onData(data: Buffer, length: number): boolean;
  /** The other side has sent its end; the connection can still be written to. */
  onEnd(): void;
  /** The connection is gone, in whatever way; always the last call. `reason`: why it could not be made, in Envoy's words. `reset`: by the other side. */
  onClose(reason: string | undefined, reset?: boolean): void;
}

export class Conn {
  /** Replaced once where TLS begins behind a PROXY protocol header. */
  sock!: net.Socket;
  /** The TCP connection under a TLS one that was accepted. */
  private readonly carrier: net.Socket | undefined;
  /** Whoever reads it; may be replaced. */
  handler: ConnHandler;
  private waiter: (() => void) | undefined = undefined;
  private readonly flushed: () => void;
  /** The last write reports when it has left. */
  private reports = false;
  /** Blocks with bytes that have not left yet. */
  private lent: Buffer[] | undefined = undefined;
  private readBuffer: Buffer | undefined = undefined;
  private readView: Buffer | undefined = undefined;

  constructor(handler: ConnHandler, carrier?: net.Socket) {
    this.handler = handler;
    this.carrier = carrier;
    this.flushed = () => {
      if (this.sock.writableLength !== 0) return;
      if (this.lent !== undefined) this.takeBack(this.lent);
      if (this.waiter === undefined) return;
      const waiter = this.waiter;
      this.waiter = undefined;
      waiter();
    };
  }

  /** `address:port` of our end; "" on a Unix socket. */
  get localText(): string {
    const { localAddress, localPort } = this.sock;
    return localAddress === undefined ? "" : `${localAddress}:${localPort}`;
  }

  writeStr(text: string): void {
    this.reports = false;
    this.sock.write(text, "latin1");
  }

  /** True when the bytes have left, so that their memory may be used again. */
  writeSub(view: Uint8Array): boolean {
    this.reports = true;
    this.sock.write(view, this.flushed);
    return this.sock.writableLength === 0;
  }

  /** What `view` is part of may change as soon as this returns. */
  writeCopy(view: Buffer): void {
    if (view.length <= TEXT_BELOW) this.writeStr(view.toString("latin1"));
    else if (view.length < BLOCK_FROM || view.length > BLOCK_BYTES) this.writeSub(Buffer.from(view));
    else {
      const block = takeBlock();
      block.set(view);
      if (this.writeSub(block.subarray(0, view.length))) giveBlock(block);
      else (this.lent ??= []).push(block);
    }
  }

  private takeBack(lent: readonly Buffer[]): void {
    this.lent = undefined;
    for (const block of lent) giveBlock(block);
  }

  /** As writeSub, for what comes part by part. False = in use, or too much waits. */
  writePart(view: Buffer): boolean {
    if (view.length > TEXT_BELOW) return this.writeSub(view);
    this.writeStr(view.toString("latin1"));
    return this.pending() <= HIGH_WATER;
  }

  /** A buffer for reads from now on, with room in front of it. */
  newReadBuffer(size: number): Buffer {
    this.readBuffer = Buffer.allocUnsafeSlow(HEADROOM + size);
    return (this.readView = this.readBuffer.subarray(HEADROOM));
  }

  /** `head` and then data[from, to) as one view, where `data` is what this connection has just read and there is room for the head. */
  prepend(head: string, data: Buffer, part: { from: number; to: number }): Buffer | undefined {
    const buffer = this.readBuffer;
    const at = HEADROOM + part.from - head.length;
    if (buffer === undefined || data !== this.readView || at < 0) return undefined;
    buffer.write(head, at, "latin1");
    return buffer.subarray(at, HEADROOM + part.to);
  }

  pending(): number {
    return this.sock.writableLength;
  }

  /** Calls once when nothing waits any more; several callers are called in order. */
  whenFlushed(fn: () => void): void {
    if (this.sock.writableLength === 0) {
      fn();
      return;
    }
    const before = this.waiter;
    this.waiter =
      before === undefined
        ? fn
        : () => {
            before();
            fn();
          };
    if (!this.reports) this.writeSub(NOTHING);
  }

  pause(): void {
    this.sock.pause();
  }

  resume(): void {
    this.sock.resume();
  }

  end(): void {
    this.sock.end();
  }

  destroy(): void {
    this.sock.destroy();
  }

  /** RST instead of FIN: the other side must not take what it got for a whole message. */
  reset(): void {
    const { sock, carrier } = this;
    if (sock.writableLength > 0) sock.destroy();
    else if (carrier === undefined) sock.resetAndDestroy();
    // Not within a callback of the TLS library that runs on it.
    else setImmediate(() => carrier.resetAndDestroy());
  }
}

/** Accepted sockets: one read buffer for all of them, so that an idle connection holds none. */
export function adopt(sock: net.Socket, handler: ConnHandler, carrier?: net.Socket): Conn {
  const conn = new Conn(handler, carrier);
  conn.sock = sock;
  if (!readShared(sock, (data, length) => conn.handler.onData(data, length)))
    sock.on("data", (chunk: Buffer) => void conn.handler.onData(chunk, chunk.length));
  sock.on("end", () => conn.handler.onEnd());
  let reset = false;
  sock.on("error", (error: NodeJS.ErrnoException) => (reset = error.code === "ECONNRESET"));
  sock.on("close", () => conn.handler.onClose(undefined, reset));
  return conn;
}

export interface DialOptions {
  readonly target: ConnectTarget;
  readonly localAddress: string | undefined;
  readonly keepalive: TcpKeepalive | undefined;
  /** undefined = plain TCP. */
  readonly transport: ClientTransport | undefined;
  /** It can be used: with TLS, after the handshake and every check of the peer. */
  readonly onConnect: (tls: TlsInfo | undefined) => void;
}

const NOTHING = new Uint8Array(0);

/** Connects to an upstream. Everything is reported to the handler; nothing throws. */
export function dial(options: DialOptions, handler: ConnHandler): Conn {
  const { keepalive, transport, onConnect } = options;
  const connect = connectOptions(options.target, options.localAddress);
  const conn = new Conn(handler);
  let reached = false;
  let reason: string | undefined;
  let reset = false;
  const use = (sock: net.Socket): void => {
    conn.sock = sock;
    sock.on("end", () => {
      if (sock === conn.sock) handler.onEnd();
    });
    sock.on("error", (error: NodeJS.ErrnoException) => {
      reason ??= failureOf(error, reached);
      reset ||= error.code === "ECONNRESET";
    });
    sock.on("close", () => {
      if (sock === conn.sock) handler.onClose(reason, reset);
    });
  };
  const onRead = (length: number, data: Uint8Array): boolean => handler.onData(data as Buffer, length);
  const sock =
    transport === undefined
      ? net.connect({ ...connect, onread: { buffer: conn.newReadBuffer(READ_BUFFER), callback: onRead } })
      : openTransport(transport, { connect, onRead, newBuffer: () => conn.newReadBuffer(TLS_READ), onReady: onConnect, onSocket: use });
  sock.once("connect", () => {
    reached = true;
    if (keepalive !== undefined) setKeepalive(sock, keepalive);
    if (transport === undefined) onConnect(undefined);
  });
  use(sock);
  return conn;
}

function failureOf(error: NodeJS.ErrnoException, reached: boolean): string | undefined {
  if (error instanceof TransportError) return error.reason;
  return tlsErrorText(error) ?? (reached ? undefined : connectErrorText(error));
}
