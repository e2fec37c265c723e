// Memory for bytes that have to be copied because they are written later than they may be kept. A large upload copies every read; blocks that are used again
// spare the collector some 64 MiB of garbage, which it lets stand before it looks at it.

export const BLOCK_BYTES = 65_536;
/** Beyond these a block is left to the collector. */
const MAX_SPARE = 32;

const spare: Buffer[] = [];

export function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

/** Nobody reads it any more. */
export function giveBlock(block: Buffer): void {
  if (spare.length < MAX_SPARE) spare.push(block);
}
