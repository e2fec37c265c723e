// Finds where a request's head ends in what a connection brings, over as many reads as it takes; nothing is read twice that came whole.
import { examineHead, findHead, type HeadEnd, type HeadSource } from "./find-head.ts";

/** Requests up to this size are handled as one string. */
const SMALL = 16_384;
const FIRST_LOOK = 4096;
/** Empty lines before a request are skipped (RFC 9112 section 2.2), so many bytes of them. */
const MAX_EMPTY = 64;
const LAST_OF_EMPTY = 13;
const LF = 10;
const PREFACE = "PRI * HTTP/2.0\r\n";

/** `preface`: HTTP/2 begins here. `empty`: nothing but empty lines so far. */
export type ReadResult = "head" | "more" | "empty" | "preface" | "too large" | "broken";

/** What was read last; one for all connections: use it at once. */
export interface RequestRead extends HeadSource {
  /** data[0, length): everything from the head on. */
  data: Buffer;
  length: number;
  bytes: string;
  found: HeadEnd;
}

export const lastRead: RequestRead = { data: Buffer.alloc(0), length: 0, bytes: "", found: findHead("") };

export class RequestReader {
  private partial: Buffer | undefined = undefined;

  /** A request has begun, and is not all here. */
  get begun(): boolean {
    return this.partial !== undefined;
  }

  clear(): void {
    this.partial = undefined;
  }

  /** Reads data[0, length). `limit`: bytes that a head may have. What has to wait for more is copied. */
  feed(data: Buffer, length: number, limit: number): ReadResult {
    if (this.partial === undefined && (data[0] as number) > LAST_OF_EMPTY) return this.read(data, length, limit);
    let chunk = data.subarray(0, length);
    if (this.partial !== undefined) {
      const begun = this.partial.length > 0;
      chunk = Buffer.concat([this.partial, chunk]);
      this.partial = undefined;
      // Without a line's end there is nothing new to see: thousands of callers that send a byte now and then must not cost more than that.
      if (begun && chunk.length < limit && !data.subarray(0, length).includes(LF)) {
        this.partial = chunk;
        return "more";
      }
    }
    const skip = emptyLines(chunk);
    if (skip > 0) {
      if (skip > MAX_EMPTY) return "broken";
      chunk = chunk.subarray(skip);
      if (chunk.length === 0) {
        this.partial = chunk;
        return "empty";
      }
    }
    return this.read(chunk, chunk.length, limit);
  }

  private read(data: Buffer, length: number, limit: number): ReadResult {
    let bytes = data.toString("latin1", 0, length > SMALL ? FIRST_LOOK : length);
    let found = findHead(bytes);
    if (found.end < 0 && bytes.length < length) {
      bytes = data.toString("latin1", 0, Math.min(length, limit + 4));
      found = findHead(bytes);
    }
    // Bare LFs may end it earlier.
    if (found.end > limit) found = examineHead(bytes);
    lastRead.data = data;
    lastRead.length = length;
    lastRead.bytes = bytes;
    lastRead.found = found;
    if (found.end > limit) return "too large";
    if (found.end < 0) {
      if (length >= limit) return "too large";
      if (bytes.startsWith(PREFACE)) return "preface";
      if (!mayBeginRequest(bytes)) return "broken";
      this.partial = Buffer.from(data.subarray(0, length));
      return "more";
    }
    return bytes.startsWith(PREFACE) ? "preface" : "head";
  }
}

const METHOD_LETTER = /^[A-Z]/;
const FIRST_LINE = /^[^ \r\n]+ [^ \r\n]+ HTTP\/\d\.\d\r?$/;

/** A first byte, and then a whole first line, is judged before the rest comes: what is no HTTP may never send more. */
function mayBeginRequest(bytes: string): boolean {
  if (!METHOD_LETTER.test(bytes)) return false;
  const eol = bytes.indexOf("\n");
  return eol < 0 || FIRST_LINE.test(bytes.slice(0, eol));
}

function emptyLines(chunk: Buffer): number {
  let skip = 0;
  while (skip < chunk.length && (chunk[skip] === 13 || chunk[skip] === 10)) skip++;
  return skip;
}
