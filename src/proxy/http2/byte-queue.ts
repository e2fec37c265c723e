// Bytes that wait, in few large pieces whatever size they came in: a peer that sends single bytes must not cost an object for each.

interface Chunk {
  readonly data: Buffer;
  from: number;
  to: number;
  next: Chunk | undefined;
}

const SMALLEST = 512;
const LARGEST = 16_384;

export class ByteQueue {
  bytes = 0;
  private head: Chunk | undefined = undefined;
  private tail: Chunk | undefined = undefined;
  private size = SMALLEST;

  /** Copies data[from, to). */
  push(data: Uint8Array, from: number, to: number): void {
    let at = from;
    this.bytes += to - from;
    const { tail } = this;
    if (tail !== undefined) {
      const take = Math.min(tail.data.length - tail.to, to - at);
      tail.data.set(data.subarray(at, at + take), tail.to);
      tail.to += take;
      at += take;
    }
    if (at === to) return;
    const length = to - at;
    const chunk: Chunk = { data: Buffer.allocUnsafe(Math.max(length, this.size)), from: 0, to: length, next: undefined };
    chunk.data.set(data.subarray(at, to));
    this.size = Math.min(this.size * 2, LARGEST);
    if (this.tail === undefined) this.head = chunk;
    else this.tail.next = chunk;
    this.tail = chunk;
  }

  /** Moves the first `count` bytes to out[at…]; there must be so many. */
  take(out: Buffer, at: number, count: number): void {
    let to = at;
    let left = count;
    this.bytes -= count;
    while (left > 0) {
      const chunk = this.head as Chunk;
      const take = Math.min(chunk.to - chunk.from, left);
      chunk.data.copy(out, to, chunk.from, chunk.from + take);
      chunk.from += take;
      to += take;
      left -= take;
      if (chunk.from === chunk.to) this.shift();
    }
  }

  /** The first piece, which leaves the queue. */
  takePiece(): Buffer | undefined {
    const chunk = this.head;
    if (chunk === undefined) return undefined;
    this.bytes -= chunk.to - chunk.from;
    this.shift();
    return chunk.data.subarray(chunk.from, chunk.to);
  }

  private shift(): void {
    this.head = this.head?.next;
    if (this.head !== undefined) return;
    this.tail = undefined;
    this.size = SMALLEST;
  }
}
