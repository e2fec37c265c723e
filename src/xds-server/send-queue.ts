// Large responses leave a few at a time: their bytes are shared until they are written, and copied once per stream when they are. So a
// thousand clients that come at once, or stop reading, cost a bounded amount of memory.
import type { Clock } from "../kit/index.ts";
import type { Call } from "./grpc-transport.ts";

/** Messages of this size and more wait for their turn. */
const LARGE_BYTES = 64 * 1024;

export interface SendQueue {
  /** Runs `write` when there is room; `write` tells when its bytes have left. Order within `key` is the caller's concern. */
  add(bytes: number, write: (left: () => void) => void): void;
}

export function createSendQueue(options: { readonly clock: Clock; readonly maxBytes: number; readonly patienceMs: number }): SendQueue {
  const waiting: { readonly bytes: number; readonly write: (left: () => void) => void }[] = [];
  let out = 0;

  function start({ bytes, write }: (typeof waiting)[number]): void {
    out += bytes;
    let done = false;
    const release = (): void => {
      if (done) return;
      done = true;
      cancel();
      out -= bytes;
      next();
    };
    // A client that does not read must not keep the others waiting.
    const cancel = options.clock.after(options.patienceMs, release);
    write(release);
  }

  function next(): void {
    while (waiting.length > 0 && out < options.maxBytes) {
      const first = waiting.shift();
      if (first !== undefined) start(first);
    }
  }

  return {
    add(bytes, write) {
      waiting.push({ bytes, write });
      next();
    },
  };
}

/** Writes in order; large messages wait for room among all streams' large messages. */
export function createSender(call: Pick<Call, "write">, queue: SendQueue): { send(bytes: Buffer): void; stop(): void } {
  const waiting: Buffer[] = [];
  let blocked = false;
  let stopped = false;
  let release: (() => void) | undefined;

  function next(): void {
    while (!blocked && !stopped) {
      const bytes = waiting.shift();
      if (bytes === undefined) return;
      if (bytes.byteLength < LARGE_BYTES) {
        call.write(bytes);
        continue;
      }
      blocked = true;
      queue.add(bytes.byteLength, (left) => {
        blocked = false;
        if (stopped) return left();
        release = left;
        call.write(bytes, left);
        next();
      });
    }
  }

  return {
    send(bytes) {
      if (!blocked && waiting.length === 0 && bytes.byteLength < LARGE_BYTES) return call.write(bytes);
      waiting.push(bytes);
      next();
    },
    stop() {
      stopped = true;
      waiting.length = 0;
      release?.();
    },
  };
}
