// A request as it leaves, in the form its upstream speaks; one object per exchange, filled anew for each request.
import type { Http2Header } from "../http2/header.ts";

export class OutgoingRequest {
  /** HTTP/1: the head without the attempt count and the empty line. */
  text = "";
  /** HTTP/2: pseudo headers and fields, without the attempt count. */
  fields: readonly Http2Header[] = NONE;
  /** The complete body when it is small and came with the head, one char per byte. */
  bodyText = "";
  /** Protocol that the connection or stream is to switch to; "" = none. */
  upgrade = "";
  /** Nothing follows the head and `bodyText`. */
  whole = false;
  /** Value of `x-envoy-attempt-count`; 0 = it is not sent. */
  attempts = 0;

  clear(): void {
    this.text = "";
    this.fields = NONE;
    this.bodyText = "";
  }
}

const NONE: readonly Http2Header[] = Object.freeze([]);
