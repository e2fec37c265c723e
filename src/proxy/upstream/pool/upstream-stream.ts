// One request on an upstream connection, whatever HTTP version that speaks: what the forward action does with it, and what it hears.
// An HTTP/1 connection is its own only stream; an HTTP/2 connection has many.
import type { AnswerHead, Trailers } from "../../http/message.ts";
import type { OutgoingRequest } from "../../http/outgoing-request.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import type { ResetReason } from "../../observe/failure.ts";

/** How an upstream delimits an answer's body. `plain`: nothing stands between its bytes, and its end is told (HTTP/2, or an HTTP/1 connection that closes). */
export type BodyFraming = "none" | "length" | "chunked" | "plain";

/** How an answer arrived. Its body's first part is data[bodyAt, forwardEnd). */
export interface AnswerStart {
  readonly head: AnswerHead;
  readonly framing: BodyFraming;
  /** `data` read as latin1, as far as that was done already; "" = it was not. */
  readonly bytes: string;
  readonly data: Buffer;
  readonly bodyAt: number;
  readonly forwardEnd: number;
  readonly complete: boolean;
}

/** data[from, to) belongs to the answer's body; `complete`: and that is its end. */
export interface BodyPart {
  readonly from: number;
  readonly to: number;
  readonly complete: boolean;
}

/** The exchange behind a stream. Methods that return a boolean say whether more may come; false = not before `resume`, and the data is still in use. */
export interface UpstreamUser {
  /** The request was HEAD: whatever the head says, no body follows. */
  readonly expectsNoBody: boolean;
  /** The request was CONNECT: after an answer of 2xx bytes only pass through, whatever its head says. */
  readonly connects?: boolean;
  /** 1xx, but for 101. */
  onInformational(head: AnswerHead): void;
  /** The final head; 101 too, after which bytes only pass through. */
  onAnswer(stream: UpstreamStream, start: AnswerStart): boolean;
  onAnswerData(stream: UpstreamStream, data: Buffer, part: BodyPart): boolean;
  onUpstreamReset(stream: UpstreamStream, reason: ResetReason, systemCode: string | undefined): void;
}

export interface UpstreamStream {
  readonly localAddress: string;
  /** undefined = plain text. */
  readonly tls: TlsInfo | undefined;
  /** Of the answer, when that is complete. HTTP/1: undefined also where they went out with the body. */
  readonly trailers: Trailers;
  /** Where the answer is framed in chunks: its body's bytes so far, without that framing. */
  readonly payload?: number;
  /** The connection had been idle so long, and has brought so little since, that it was most likely closed before the request reached it. */
  readonly outraced: boolean;
  /** From now on `user` hears of this stream. */
  attach(user: UpstreamUser, now: number): void;
  /** Sends the head, and the body with it where it is small and all here. */
  send(request: OutgoingRequest): void;
  /** More of the body, framed already, which is used up when this returns. False = too much waits: no more before `whenWritable` calls. */
  write(part: Buffer): boolean;
  /** The last of the body. `text` is what ends it in HTTP/1 ("" = nothing does), `trailers` in HTTP/2. */
  finish(part: Buffer, text: string, trailers: Trailers): void;
  whenWritable(fn: () => void): void;
  /** What a user is given stays until `resume`, when it returned false; else it is only valid until the call returns. */
  readonly lasting: boolean;
  /** The answer goes on, after a callback had returned false. */
  resume(): void;
  /** `text` in front of the answer's first bytes as one piece of memory, where the connection's read buffer has room for it. */
  prepend(text: string, start: AnswerStart): Buffer | undefined;
  /** The answer is over and has left the buffers. `reusable`: nothing of the request is still to be sent. */
  release(reusable: boolean, now: number): void;
  /** The user lets go before the end. */
  abandon(): void;
}
