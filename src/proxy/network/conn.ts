// The socket port: what the proxy needs of a connection, small enough that another runtime's sockets can fill it too.
// `onread` with a buffer of our own upstream and one write per message are what makes raw sockets fast on Node.
import net from "node:net";
import { readShared } from "./shared-read.ts";

/** Bytes are stopped at the sender while more than this waits to be written. */
export const HIGH_WATER = 131_072;
/** One read takes at most this much upstream. Pages that no read reaches cost no memory. */
const READ_BUFFER = 131_072;
/** Room in front of it, where a rewritten head is put so that head and body leave in one write. */
const HEADROOM = 4096;

export interface ConnHandler {
  /** `data[0, length)` belongs to the connection again when this returns: what is kept is copied. A dialled connection may return false: still in
   * use, reading stops until `resume()`. */
  onData(data: Buffer, length: number): boolean;
  /** The other side has sent its end; the connection can still be written to. */
  onEnd(): void;
  /** The connection is gone, in whatever way; always the last call. `code` is the system's error code. */
  onClose(code: string | undefined): void;
}

export class Conn {
  readonly sock: net.Socket;
  private waiter: (() => void) | undefined = undefined;
  private readonly flushed: () => void;
  /** The last write reports when it has left. */
  private reports = false;
  private readBuffer: Buffer | undefined = undefined;
  private readView: Buffer | undefined = undefined;

  constructor(sock: net.Socket) {
    this.sock = sock;
    this.flushed = () => {
      if (this.waiter === undefined || this.sock.writableLength !== 0) return;
      const waiter = this.waiter;
      this.waiter = undefined;
      waiter();
    };
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

  setReadBuffer(buffer: Buffer, view: Buffer): void {
    this.readBuffer = buffer;
    this.readView = view;
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
    if (this.sock.writableLength === 0) this.sock.resetAndDestroy();
    else this.sock.destroy();
  }
}

/** Accepted sockets: one read buffer for all of them, so that an idle connection holds none. */
export function adopt(sock: net.Socket, handler: ConnHandler): Conn {
  const conn = new Conn(sock);
  let code: string | undefined;
  if (!readShared(sock, (data, length) => handler.onData(data, length)))
    sock.on("data", (chunk: Buffer) => void handler.onData(chunk, chunk.length));
  sock.on("end", () => handler.onEnd());
  sock.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
  sock.on("close", () => handler.onClose(code));
  return conn;
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly keepAliveMs: number | undefined;
  readonly onConnect: () => void;
}

const NOTHING = new Uint8Array(0);

/** Connects to an upstream. Everything is reported to the handler; nothing throws. */
export function dial(options: DialOptions, handler: ConnHandler): Conn {
  const whole = Buffer.allocUnsafeSlow(HEADROOM + READ_BUFFER);
  const buffer = whole.subarray(HEADROOM);
  const sock = net.connect({
    host: options.host,
    port: options.port,
    noDelay: true,
    allowHalfOpen: true,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    ...(options.keepAliveMs === undefined ? {} : { keepAlive: true, keepAliveInitialDelay: options.keepAliveMs }),
    onread: {
      buffer,
      callback: (length: number, data: Uint8Array) => handler.onData(data as Buffer, length),
    },
  });
  const conn = new Conn(sock);
  conn.setReadBuffer(whole, buffer);
  let code: string | undefined;
  sock.once("connect", options.onConnect);
  sock.on("end", () => handler.onEnd());
  sock.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
  sock.on("close", () => handler.onClose(code));
  return conn;
}
