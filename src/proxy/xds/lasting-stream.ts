// One discovery stream that comes back when it is lost, later each time and at a random moment, and says so once.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { type Clock, createBackoff, type Logger, type Rng } from "../../kit/index.ts";
import { refusalText } from "../wire/refusal.ts";
import type { OpenStream, Stream } from "./grpc-stream.ts";
import type { Conversation } from "./protocol.ts";

export interface LastingStreamOptions {
  readonly open: OpenStream;
  readonly method: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** What is at the other end, for the log. */
  readonly peer: string;
  /** Back-off of a lost stream, in milliseconds. */
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number };
  converse(send: (bytes: Uint8Array) => void): Conversation;
  onConnected(is: boolean): void;
}

export interface LastingStream {
  /** What is asked for may have changed. */
  interestsChanged(): void;
  stop(): void;
}

const LASTING_MS = 10_000;

export function startLastingStream(options: LastingStreamOptions): LastingStream {
  const { clock, logger, peer } = options;
  const backoff = createBackoff({ ...options.reconnect, rng: options.rng });
  let stream: Stream | undefined;
  let conversation: Conversation | undefined;
  let cancelRetry: (() => void) | undefined;
  let stopped = false;
  let silentSince: string | undefined;
  let openedAt = 0;

  function connect(): void {
    cancelRetry = undefined;
    openedAt = clock.now();
    const mine = options.open(options.method, {
      onConnected() {
        if (stream !== mine) return;
        options.onConnected(true);
        if (silentSince !== undefined) logger.log("info", `connected to the ${peer}`);
        silentSince = undefined;
      },
      onMessage(bytes) {
        if (stream !== mine) return;
        backoff.reset();
        try {
          conversation?.onMessage(bytes);
        } catch (error) {
          logger.log("error", `the ${peer} sent what cannot be read`, { reason: refusalText(error) });
          lost(refusalText(error));
          mine.close();
        }
      },
      onEnd: (reason) => {
        if (stream === mine) lost(reason);
      },
    });
    stream = mine;
    conversation = options.converse((bytes) => mine.send(bytes));
    conversation.start();
  }

  function lost(reason: string): void {
    stream = undefined;
    conversation = undefined;
    options.onConnected(false);
    if (stopped) return;
    // A stream that lasted was a good one, even if nothing was said on it.
    if (clock.now() - openedAt > LASTING_MS) backoff.reset();
    if (silentSince !== reason) logger.log("warn", `no ${peer}: the last config stays in force`, { reason });
    silentSince = reason;
    cancelRetry = clock.after(backoff.next(), connect);
  }

  connect();
  return {
    interestsChanged: () => conversation?.interestsChanged(),
    stop() {
      stopped = true;
      cancelRetry?.();
      const last = stream;
      stream = undefined;
      last?.close();
    },
  };
}
