// Message body framing on bytes, strict (RFC 9112 section 7): where the message ends, and which bytes may be forwarded as they came.
// Chunked bodies pass through byte for byte once checked; trailers are held back so that they can be dropped or checked.

export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
export const BODY_UNTIL_CLOSE = 3;
export type BodyMode = typeof BODY_NONE | typeof BODY_LENGTH | typeof BODY_CHUNKED | typeof BODY_UNTIL_CLOSE;

/** `feed` results below zero. */
export const BODY_MORE = -1;
export const BODY_BROKEN = -2;

const MAX_EXTENSION = 256;
const MAX_TRAILERS = 8192;
const CR = 13;
const LF = 10;

const SIZE = 0;
const DATA = 1;
const DATA_CR = 2;
const DATA_LF = 3;
const EXTENSION = 4;
const SIZE_LF = 5;
const TRAILER = 6;

const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;
/** Fields that frame or route a message never count when they come as trailers (RFC 9110 section 6.5.1). */
const NO_TRAILER =
  /^(?:transfer-encoding|content-length|host|connection|trailer|te|upgrade|content-encoding|content-type|authorization|cookie)$/i;

export class Body {
  mode: BodyMode = BODY_NONE;
  /** Bytes left of the content-length body or of the chunk. */
  remain = 0;
  /** Bytes of the body itself so far, without the framing of chunks. */
  payload = 0;
  /** End (exclusive) of what may be forwarded unchanged from the buffer last fed. */
  forwardEnd = 0;
  /** After the end of a chunked body: trailer lines with CRLF each, without the closing CRLF; undefined = there were none and the end was forwarded. */
  trailers: string | undefined = undefined;
  private state = SIZE;
  private size = 0;
  private digits = 0;
  private extension = 0;
  private held = "";

  start(mode: BodyMode, length: number): void {
    this.mode = mode;
    this.remain = length;
    this.payload = 0;
    this.state = SIZE;
    this.size = 0;
    this.digits = 0;
    this.extension = 0;
    this.held = "";
    this.trailers = undefined;
  }

  /** Position just past the message within buf[from, end), BODY_MORE, or BODY_BROKEN. */
  feed(buf: Uint8Array, from: number, end: number): number {
    if (this.mode === BODY_LENGTH) {
      const have = end - from;
      if (have >= this.remain) {
        const stop = from + this.remain;
        this.payload += this.remain;
        this.remain = 0;
        this.forwardEnd = stop;
        return stop;
      }
      this.remain -= have;
      this.payload += have;
      this.forwardEnd = end;
      return BODY_MORE;
    }
    if (this.mode === BODY_NONE) {
      this.forwardEnd = from;
      return from;
    }
    if (this.mode === BODY_UNTIL_CLOSE) {
      this.payload += end - from;
      this.forwardEnd = end;
      return BODY_MORE;
    }
    return this.feedChunked(buf, from, end);
  }

  private feedChunked(buf: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end) {
      switch (this.state) {
        case DATA: {
          const have = end - at;
          if (have < this.remain) {
            this.remain -= have;
            this.payload += have;
            this.forwardEnd = end;
            return BODY_MORE;
          }
          at += this.remain;
          this.payload += this.remain;
          this.remain = 0;
          this.state = DATA_CR;
          break;
        }
        case DATA_CR:
          if (buf[at++] !== CR) return BODY_BROKEN;
          this.state = DATA_LF;
          break;
        case DATA_LF:
          if (buf[at++] !== LF) return BODY_BROKEN;
          this.state = SIZE;
          this.size = 0;
          this.digits = 0;
          break;
        case SIZE: {
          const byte = buf[at++] as number;
          const digit = hexDigit(byte);
          if (digit >= 0) {
            // Seven hex digits are 256 MiB: more in one chunk is an attack or a fault.
            if (++this.digits > 7) return BODY_BROKEN;
            this.size = this.size * 16 + digit;
          } else if (this.digits === 0) return BODY_BROKEN;
          else if (byte === CR) this.state = SIZE_LF;
          else if (byte === 59 || byte === 32 || byte === 9) this.state = EXTENSION;
          else return BODY_BROKEN;
          break;
        }
        case EXTENSION: {
          const byte = buf[at++] as number;
          if (byte === CR) this.state = SIZE_LF;
          else if ((byte < 32 && byte !== 9) || byte === 127 || ++this.extension > MAX_EXTENSION) return BODY_BROKEN;
          break;
        }
        case SIZE_LF:
          if (buf[at++] !== LF) return BODY_BROKEN;
          if (this.size > 0) {
            this.remain = this.size;
            this.state = DATA;
            break;
          }
          this.state = TRAILER;
          // The usual end: nothing but CRLF follows the last chunk.
          if (at + 1 < end && buf[at] === CR && buf[at + 1] === LF) {
            this.forwardEnd = at + 2;
            return at + 2;
          }
          this.forwardEnd = at;
          this.held = "";
          return this.feedTrailers(buf, at, end);
        case TRAILER:
          this.forwardEnd = from;
          return this.feedTrailers(buf, at, end);
        default:
          return BODY_BROKEN;
      }
    }
    this.forwardEnd = end;
    return BODY_MORE;
  }

  private feedTrailers(buf: Uint8Array, from: number, end: number): number {
    for (let at = from; at < end; at++) {
      this.held += String.fromCharCode(buf[at] as number);
      if (this.held.length > MAX_TRAILERS) return BODY_BROKEN;
      if (buf[at] !== LF) continue;
      if (this.held === "\r\n") {
        this.trailers = "";
        return at + 1;
      }
      if (this.held.endsWith("\r\n\r\n")) {
        const kept: string[] = [];
        for (const line of this.held.slice(0, -4).split("\r\n")) {
          if (!TRAILER_LINE.test(line)) return BODY_BROKEN;
          if (!NO_TRAILER.test(line.slice(0, line.indexOf(":")))) kept.push(line + "\r\n");
        }
        this.trailers = kept.join("");
        return at + 1;
      }
      if (!this.held.endsWith("\r\n")) return BODY_BROKEN;
    }
    return BODY_MORE;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
