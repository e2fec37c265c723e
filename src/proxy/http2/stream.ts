// What the proxy sees of HTTP/2: sessions over a connection, streams in them, and what each reports. Both roles have the same shape; nothing
// here is asynchronous and nothing throws. RFC 9113; extended CONNECT is RFC 8441.
import type { Http2Limits } from "../config/index.ts";
import type { Clock } from "../../kit/index.ts";
import type { ConnHandler } from "../network/conn.ts";
import type { TimerWheel } from "../network/timer-wheel.ts";
import type { Counter, Gauge } from "../observe/stats.ts";
import type { Http2Header } from "./header.ts";

/** A header block as it is sent: pseudo headers first, then fields; names lower case. Never changed once it was handed over. */
export type HeaderBlock = readonly Http2Header[];

/** A header block as it arrived, checked against RFC 9113 section 8. */
export interface ReceivedBlock {
  /** Pseudo headers first. `cookie` fields are one, joined with "; "; a request's `host` has become `:authority`, or is gone when both were sent. */
  readonly headers: Http2Header[];
  /** How many of them are pseudo headers. */
  readonly pseudo: number;
  /** Request: never empty. */
  readonly method: string;
  /** Request: "" for a plain CONNECT, else never empty. */
  readonly path: string;
  /** Request: "" for a plain CONNECT. */
  readonly scheme: string;
  /** Request: "" when neither `:authority` nor `host` was sent. */
  readonly authority: string;
  /** `:protocol` of an extended CONNECT, else "". */
  readonly protocol: string;
  /** Response: 100 to 999; 0 in requests and trailers. */
  readonly status: number;
  /** -1 = not said. The session holds the peer to it. */
  readonly contentLength: number;
}

/** Why a stream ended before both sides were done. `peer`: RST_STREAM. `refused`: the peer's GOAWAY says it was never looked at. `protocol`: the peer
 * broke the protocol on this stream, and was told so. `connection`: the connection is gone, or was given up. `overflow`: the user sent on and on although
 * more than `limits.queuedBytes` waited. `idle`: nothing of what waited behind the end could be sent for `limits.flushTimeoutMs`. */
export type ResetCause = "peer" | "refused" | "protocol" | "connection" | "overflow" | "idle";

/** Whoever reads a stream. Views are only valid until the call returns. After `onReset`, or after both ends were sent, nothing is called any more. */
export interface StreamUser {
  /** Client: the response's head, any number of times with a status below 200 before the final one. Never called for a server's stream. */
  onHeaders(block: ReceivedBlock, endStream: boolean): void;
  /** `data` may be empty when `endStream` is set. Its credit goes back to the peer when this returns, unless the stream is paused by then. */
  onData(data: Buffer, endStream: boolean): void;
  /** Always the end of the peer's message. */
  onTrailers(block: ReceivedBlock): void;
  /** `code` is RFC 9113's error code; REFUSED_STREAM (and the cause "refused") means that the peer did nothing with it, so it may be tried again. */
  onReset(code: number, cause: ResetCause): void;
  /** Nothing waits in this stream any more, after `sendData` or `sendText` had returned false. */
  onWritable(): void;
}

export interface Http2Stream {
  readonly id: number;
  readonly session: Http2Session;
  /** When the bytes that opened it were read, in the clock's milliseconds. */
  readonly openedAt: number;
  /** Set by the client's `open` and by the server's `onRequest`; may be replaced at any time. */
  user: StreamUser | undefined;
  /** The peer has ended its side, and all of it was delivered. */
  readonly remoteEnded: boolean;
  /** The end was handed over with `sendHeaders`, `sendData` or `sendTrailers`; it may still wait behind data. */
  readonly localEnded: boolean;
  /** Reset, or both sides ended, or the connection is gone: sending does nothing any more. */
  readonly closed: boolean;
  /** What the peer did to break the protocol on this stream, as Envoy's response code details name it; "" = nothing. */
  readonly details: string;

  /** A response's head (1xx ones may go before it). False = the stream is closed. */
  sendHeaders(block: HeaderBlock, endStream: boolean): boolean;
  /**
   * Copies what it cannot send at once (the peer's windows, a slow connection). False = something waits: send no more before `onWritable`.
   * A stream on which more than `limits.queuedBytes` waits is reset.
   */
  sendData(data: Uint8Array, endStream: boolean): boolean;
  /** The same with latin1 text, one byte a character. */
  sendText(text: string, endStream: boolean): boolean;
  /** Ends this side, behind all data that still waits. */
  sendTrailers(block: HeaderBlock): boolean;
  /** Ends both sides; what waits is dropped. The user is not told. */
  reset(code: number): void;
  /** Bytes of this stream that wait for the peer's windows or for the connection. */
  pending(): number;
  /** Calls once when nothing of this stream waits any more; at once when that is so, never when the stream is reset. */
  whenFlushed(fn: () => void): void;
  /** No `onData`, `onTrailers` until `resume`: what comes is held, at most the window, for which the peer gets no new credit. Counts nothing: two pauses are one. */
  pause(): void;
  /** Delivers what was held (at once, unless inside a callback of this stream) and returns the credit. */
  resume(): void;
}

/** Envoy's HTTP/2 statistics (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats#http-2-codec-statistics), by their names. */
export interface Http2Stats {
  readonly droppedHeadersWithUnderscores: Counter;
  readonly goawaySent: Counter;
  readonly headerOverflow: Counter;
  readonly headersCbNoStream: Counter;
  readonly inboundEmptyFramesFlood: Counter;
  readonly inboundPriorityFramesFlood: Counter;
  readonly inboundWindowUpdateFramesFlood: Counter;
  readonly keepaliveTimeout: Counter;
  readonly outboundControlFlood: Counter;
  readonly outboundFlood: Counter;
  readonly requestsRejectedWithUnderscores: Counter;
  readonly rxMessagingError: Counter;
  readonly rxReset: Counter;
  readonly streamRefusedErrors: Counter;
  readonly trailers: Counter;
  readonly txFlushTimeout: Counter;
  readonly txReset: Counter;
  readonly streamsActive: Gauge;
  readonly pendingSendBytes: Gauge;
}

/** Why a session is over. `local`: `close` or `drain` here; `peer`: it closed, or sent GOAWAY and was done; `protocol`: it broke the protocol;
 * `flood`: it broke a limit; `keepalive`: it did not answer PINGs. */
export type SessionEnd = "local" | "peer" | "protocol" | "flood" | "keepalive";

/** Whoever owns a session. */
export interface SessionHandler {
  /** Server: sets `stream.user`. `block.headers` is the handler's own to edit. */
  onRequest(stream: Http2Stream, block: ReceivedBlock, endStream: boolean): void;
  /** Server: the head is larger than the limits allow. `block` holds the pseudo headers (as far as they came before the limit) and no fields; the handler
   * answers 431 and ends its side. The rest of the request is thrown away. */
  onOversizedRequest(stream: Http2Stream, block: ReceivedBlock): void;
  /** Server: a request was malformed and its stream reset, before anybody saw it. `details` as Envoy's response code details. */
  onMalformedRequest(details: string): void;
  /** A stream is closed. `session.activeStreams` counts it no more. */
  onStreamClosed(stream: Http2Stream): void;
  /** The peer's SETTINGS came: `maxConcurrentStreams`, `peerAllowsConnect`. */
  onSettings(): void;
  /** `goingAway` has become true: the peer sent GOAWAY, or the connection is being given up. Open streams up to the last one go on. */
  onGoAway(code: number): void;
  /** Always the last call; all streams were reset before it. `code` is the system's error code. */
  onClosed(end: SessionEnd, code: string | undefined): void;
}

/** What a session needs of a connection; `Conn` has it, for plain and TLS sockets alike. */
export interface Http2Conn {
  writeSub(view: Uint8Array): boolean;
  pending(): number;
  whenFlushed(fn: () => void): void;
  end(): void;
  destroy(): void;
}

export interface SessionOptions {
  readonly role: "server" | "client";
  readonly limits: Http2Limits;
  readonly stats: Http2Stats;
  readonly handler: SessionHandler;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** When frames are written: by default once per turn of the event loop, for all sessions together. Tests pass their own. */
  readonly turn?: WriteTurn;
}

/** Collects the sessions that have something to write. */
export interface WriteTurn {
  add(session: { flush(): void }): void;
}

/** Made by `createHttp2Session`; give it to `adopt` or `dial` as the connection's handler. */
export interface Http2Session extends ConnHandler {
  /** The connection is ready (TLS: after the handshake): sends the preface and SETTINGS. Bytes that were read before go to `onData` after it. */
  start(conn: Http2Conn): void;
  /** Client: a new stream with its request; undefined when the session is going away, full, or out of stream ids. `user` hears of it from now on. */
  open(block: HeaderBlock, endStream: boolean, user: StreamUser): Http2Stream | undefined;
  /** Streams that are not closed. */
  readonly activeStreams: number;
  /** Client: how many the peer allows at once. */
  readonly maxConcurrentStreams: number;
  /** The peer takes extended CONNECT (client: known after its SETTINGS). */
  readonly peerAllowsConnect: boolean;
  /** The peer's SETTINGS have come. */
  readonly settled: boolean;
  /** No new streams: GOAWAY was sent or received, or the session is closed. */
  readonly goingAway: boolean;
  readonly closed: boolean;
  /** When the last stream closed (or the session started), in the clock's milliseconds; meaningful while `activeStreams` is 0. */
  readonly idleSince: number;
  /** Two-phase GOAWAY: announces first, and names the last stream a PING round trip (at most one second) later; closes when the last stream is done. */
  drain(): void;
  /** GOAWAY with this code, resets what is open, and closes the connection within 100 ms. */
  close(code: number): void;
}
