// Whoever made a request, as the layers of the request path see it: an HTTP/1 connection or one stream of an HTTP/2 connection.
import type { AnswerHead, Trailers } from "../http/message.ts";
import type { HeaderList } from "../http/header-list.ts";
import type { Arrival } from "../network/arrival.ts";
import type { AnswerStart, BodyPart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";

/** What the proxy itself says in an upstream's answer; undefined = not said. */
export interface AnswerNotes {
  /** Milliseconds, `x-envoy-upstream-service-time`. */
  readonly serviceTimeMs: number | undefined;
  /** `x-envoy-attempt-count` */
  readonly attemptCount: number | undefined;
}

/** An answer of our own. */
export interface WholeAnswer {
  readonly status: number;
  /** Without framing headers. */
  readonly list: HeaderList;
  /** One byte per char; for HEAD too, which is then only told its length. */
  readonly body: string;
  /** The request cannot be read on: the connection ends with it where the protocol has nothing finer. */
  readonly close: boolean;
}

export interface Caller {
  readonly arrival: Arrival;
  /** The request's body is not all here yet. */
  readonly bodyPending: boolean;
  /** How the request's body arrives: HTTP/1 chunks pass as they came. */
  readonly chunked: boolean;
  /** No more of the request's body for now. */
  pauseRequest(): void;
  resumeRequest(): void;
  sendWhole(answer: WholeAnswer): void;
  /** `100 Continue`, said by the proxy itself. */
  sayContinue(): void;
  informational(head: AnswerHead): void;
  /**
   * Sends the head of an upstream's answer (101: the caller's bytes pass through from now on), with the body where that is all here and small:
   * then undefined. Else what of the body (or of head and body in one) is to be written next.
   */
  beginAnswer(stream: UpstreamStream, start: AnswerStart, notes: AnswerNotes): Buffer | undefined;
  /** More of the body as the upstream framed it. `lasting`: its memory stays until `whenFlushed` calls. False = too much waits. */
  writeAnswer(view: Buffer, lasting: boolean): boolean;
  /** The last of the body. */
  endAnswer(view: Buffer, lasting: boolean, trailers: Trailers): boolean;
  /** Calls once when everything has left; never when the caller is gone. */
  whenFlushed(fn: () => void): void;
  /** The answer was given whole: the exchange is over. */
  responseDone(now: number): void;
  /** The answer broke off: the caller must notice. */
  abort(): void;
}

/** Who takes the request's body: the forward action while it runs. */
export interface BodyTaker {
  /** data[from, to) as it came; it is only valid now. `end`: what ends it, when it is complete. */
  onRequestData(data: Buffer, part: BodyPart, end: Trailers): void;
  onCallerGone(): void;
  /** A tunnel's caller has said its last. */
  onTunnelEnd(): void;
}
