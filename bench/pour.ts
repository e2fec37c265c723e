// Sends many bytes as fast as they are read.
import type { Writable } from "node:stream";

const BLOCK = Buffer.alloc(65_536, 97);

/** The parts that so many bytes are sent in. */
export function* blocks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= BLOCK.length) yield left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
}

/** Ends the stream after so many; Infinity = goes on for as long as there is a reader. */
export function pour(stream: Writable, bytes: number): void {
  const parts = blocks(bytes);
  const more = (): void => {
    while (stream.writable) {
      const { done, value } = parts.next();
      if (done === true) {
        stream.end();
        return;
      }
      if (!stream.write(value)) return;
    }
  };
  stream.on("drain", more);
  more();
}
