// HPACK's Huffman code (RFC 7541 appendix B), decoded half a byte at a time. The code is canonical, so the lengths say it all. Nothing is encoded
// with it here: plain literals are as legal, and cheaper than the bytes they cost between machines of one mesh.
import { readLatin1 } from "./latin1.ts";

/** Bits of the codes of the symbols 0 to 256, "x3" = three times. */
const LENGTHS =
  "13 23 28x7 24 30 28x2 30 28x8 30 28x9 6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10 13 6 7x22 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6x3 5 " +
  "7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28 20 22 20x2 22x3 23 22 23x5 24 23 24x2 22 23 24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 " +
  "21 22 23x2 21x2 22 21 23 22 23x2 20 22x3 23 22x2 23 26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 27x2 26 27 24 21x2 26x2 28 27x3 20 24 20 21 " +
  "22 21x2 23 22x2 25x2 24x2 26 23 26 27 26x2 27x5 28 27x5 26 30";

const END = 256;
/** A step of the state machine: next state, and in bits 8 to 15 the symbol that it completes. */
const EMITS = 0x1_0000;
const FAILS = 0x2_0000;

interface Node {
  readonly next: [number, number];
  symbol: number;
}

function buildTree(): Node[] {
  const lengths = LENGTHS.split(" ").flatMap((part) => {
    const [bits, times = "1"] = part.split("x");
    return Array.from({ length: Number(times) }, () => Number(bits));
  });
  const order = lengths.map((bits, symbol) => ({ bits, symbol })).sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  const nodes: Node[] = [{ next: [0, 0], symbol: -1 }];
  let code = 0;
  let before = order[0]?.bits ?? 0;
  for (const { bits, symbol } of order) {
    code *= 2 ** (bits - before);
    before = bits;
    let at = 0;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = Math.floor(code / 2 ** i) % 2;
      const node = nodes[at] as Node;
      if (node.next[bit as 0 | 1] === 0) {
        node.next[bit as 0 | 1] = nodes.length;
        nodes.push({ next: [0, 0], symbol: -1 });
      }
      at = node.next[bit as 0 | 1];
    }
    (nodes[at] as Node).symbol = symbol;
    code += 1;
  }
  return nodes;
}

const STEPS = new Int32Array(256 * 16);
/** 1 = the text may end here: fewer than eight bits, all ones, are padding. */
const ENDS = new Uint8Array(256);

function buildSteps(): void {
  const nodes = buildTree();
  const states = new Map<number, number>();
  nodes.forEach((node, at) => {
    if (node.symbol < 0) states.set(at, states.size);
  });
  for (const [at, state] of states) {
    for (let half = 0; half < 16; half++) {
      let node = at;
      let step = 0;
      for (let bit = 3; bit >= 0; bit--) {
        node = (nodes[node] as Node).next[((half >> bit) & 1) as 0 | 1];
        const { symbol } = nodes[node] as Node;
        if (symbol < 0) continue;
        step |= symbol === END ? FAILS : EMITS | (symbol << 8);
        node = 0;
      }
      STEPS[state * 16 + half] = step | (states.get(node) ?? 0);
    }
  }
  let node = 0;
  for (let bits = 0; bits < 8; bits++) {
    ENDS[states.get(node) ?? 0] = 1;
    node = (nodes[node] as Node).next[1];
  }
}
buildSteps();

/** Shorter texts are cheaper to put together than to copy. */
const SHORT = 8;
let scratch = Buffer.allocUnsafeSlow(4096);

/** Text of buf[from, to) as latin1, or undefined when that is no Huffman code. */
export function decodeHuffman(buf: Uint8Array, from: number, to: number): string | undefined {
  // The shortest code has five bits.
  const most = ((to - from) * 8) / 5;
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(Math.ceil(most) * 2);
  const out = scratch;
  let length = 0;
  let state = 0;
  let seen = 0;
  for (let at = from; at < to; at++) {
    const byte = buf[at] as number;
    let step = STEPS[state * 16 + (byte >> 4)] as number;
    seen |= step;
    if ((step & EMITS) !== 0) out[length++] = step >> 8;
    step = STEPS[(step & 255) * 16 + (byte & 15)] as number;
    seen |= step;
    if ((step & EMITS) !== 0) out[length++] = step >> 8;
    state = step & 255;
  }
  if ((seen & FAILS) !== 0 || ENDS[state] === 0) return undefined;
  if (length >= SHORT) return readLatin1(out, 0, length);
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(out[i] as number);
  return text;
}
