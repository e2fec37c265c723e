// Node's latin1 methods that its types leave out: half the price of `toString` and `write`, which are made of them.

interface Latin1 {
  latin1Slice(from: number, to: number): string;
  latin1Write(text: string, at: number, length: number): number;
}

export function readLatin1(buf: Buffer, from: number, to: number): string {
  return (buf as unknown as Latin1).latin1Slice(from, to);
}

/** Returns how many bytes that were. */
export function writeLatin1(buf: Buffer, text: string, at: number): number {
  return (buf as unknown as Latin1).latin1Write(text, at, text.length);
}
