// Counts gRPC messages in a body as it passes: each is a flag, four bytes of length, and as many bytes.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
import { Dechunker } from "../../http1/dechunk.ts";

const HEADER = 5;

export class MessageCounter {
  /** How many of the next header's bytes were seen. */
  private seen = 0;
  private length = 0;
  /** Bytes of the message itself that are still to come. */
  private left = 0;
  private readonly dechunker: Dechunker | undefined;

  /** `chunked`: HTTP/1 chunks stand between the bytes. */
  constructor(chunked: boolean) {
    this.dechunker = chunked ? new Dechunker() : undefined;
  }

  /** How many messages begin in these bytes. */
  feed(data: Buffer): number {
    if (this.dechunker === undefined) return this.count(data);
    let begun = 0;
    for (const part of this.dechunker.feed(data)) begun += this.count(part);
    return begun;
  }

  private count(data: Buffer): number {
    let begun = 0;
    let at = 0;
    while (at < data.length) {
      if (this.left > 0) {
        const step = Math.min(this.left, data.length - at);
        this.left -= step;
        at += step;
        continue;
      }
      if (this.seen === 0) begun++;
      else this.length = this.length * 256 + (data[at] as number);
      at++;
      if (++this.seen < HEADER) continue;
      this.left = this.length;
      this.length = 0;
      this.seen = 0;
    }
    return begun;
  }
}
