// Tells whether a whole text fits a pattern in one pass over its bytes: a deterministic automaton whose states are made when first met.
// Linear by construction, whatever the pattern; a pattern that would need too many states is left to RE2.
// https://swtch.com/~rsc/regexp/regexp1.html
import type { ByteSet, Node } from "./syntax.ts";

const MAX_STEPS = 2000;
const MAX_STATES = 512;
const UNKNOWN = -1;
const DEAD = 0;

/** A place in the pattern: takes one byte, or stands for several places at once. */
type Step =
  | { readonly kind: "bytes"; readonly set: ByteSet; next: number }
  | { readonly kind: "split"; readonly next: number[] }
  | { readonly kind: "start" | "end"; next: number }
  | { readonly kind: "match" };

interface State {
  readonly steps: readonly number[];
  readonly accepts: boolean;
}

/** undefined = too large. `fallback` decides texts that would need more states than there may be. */
export function compileAutomaton(node: Node, fallback: (text: string) => boolean): ((text: string) => boolean) | undefined {
  const compiled = compileSteps(node);
  if (compiled === undefined) return undefined;
  const steps = compiled;
  const { classOf, representatives } = classesOf(steps.list);
  const width = representatives.length;
  const states: State[] = [{ steps: [], accepts: false }];
  const numbers = new Map<string, number>([["", DEAD]]);
  // Where a state's row begins, by the row of the state before it and the class of the byte between them.
  let table = new Int32Array(8 * width).fill(UNKNOWN);

  function stateOf(from: readonly number[], atStart: boolean): number {
    const reached = [...closure(steps.list, from, { atStart, atEnd: false })].sort((a, b) => a - b);
    const key = (atStart ? "^" : "") + reached.join();
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (states.length >= MAX_STATES) return UNKNOWN;
    const accepts = closure(steps.list, from, { atStart, atEnd: true }).has(steps.match);
    const number = states.push({ steps: reached, accepts }) - 1;
    numbers.set(key, number);
    if (states.length * width > table.length) {
      const grown = new Int32Array(table.length * 2).fill(UNKNOWN);
      grown.set(table);
      table = grown;
    }
    return number;
  }

  function follow(row: number, byteClass: number): number {
    const byte = representatives[byteClass] as number;
    const from: number[] = [];
    for (const at of (states[row / width] as State).steps) {
      const step = steps.list[at] as Step;
      if (step.kind === "bytes" && step.set[byte] === 1) from.push(step.next);
    }
    const next = from.length === 0 ? DEAD : stateOf(from, false);
    if (next === UNKNOWN) return UNKNOWN;
    table[row + byteClass] = next * width;
    return next * width;
  }

  const start = stateOf([steps.first], true) * width;

  return (text) => {
    let rows = table;
    let row = start;
    for (let i = 0; i < text.length; i++) {
      const byteClass = classOf[text.charCodeAt(i)];
      if (byteClass === undefined) return fallback(text);
      let next = rows[row + byteClass] as number;
      if (next <= DEAD) {
        if (next === UNKNOWN) {
          next = follow(row, byteClass);
          rows = table;
        }
        if (next === UNKNOWN) return fallback(text);
        if (next === DEAD) return false;
      }
      row = next;
    }
    return (states[row / width] as State).accepts;
  };
}

interface Steps {
  readonly list: Step[];
  readonly first: number;
  readonly match: number;
}

function compileSteps(node: Node): Steps | undefined {
  const list: Step[] = [{ kind: "match" }];
  const first = addNode(list, node, 0);
  return first === undefined || list.length > MAX_STEPS ? undefined : { list, first, match: 0 };
}

/** Adds the steps of a node that go on at `next`; gives its first one. */
function addNode(list: Step[], node: Node, next: number): number | undefined {
  if (list.length > MAX_STEPS) return undefined;
  switch (node.kind) {
    case "empty":
      return next;
    case "bytes":
      return list.push({ kind: "bytes", set: node.set, next }) - 1;
    case "start":
    case "end":
      return list.push({ kind: node.kind, next }) - 1;
    case "sequence":
      return node.items.reduceRight<number | undefined>((at, item) => (at === undefined ? at : addNode(list, item, at)), next);
    case "choice": {
      const starts = node.items.map((item) => addNode(list, item, next));
      return starts.includes(undefined) ? undefined : list.push({ kind: "split", next: starts as number[] }) - 1;
    }
    case "repeat":
      return addRepeat(list, node, next);
  }
}

function addRepeat(list: Step[], node: Extract<Node, { kind: "repeat" }>, next: number): number | undefined {
  let at: number | undefined = next;
  if (node.max === Infinity) {
    const loop: Step = { kind: "split", next: [next] };
    const number = list.push(loop) - 1;
    const body = addNode(list, node.item, number);
    if (body === undefined) return undefined;
    loop.next.push(body);
    at = number;
  } else {
    for (let i = node.min; i < node.max && at !== undefined; i++) {
      const body = addNode(list, node.item, at);
      at = body === undefined ? undefined : list.push({ kind: "split", next: [next, body] }) - 1;
    }
  }
  for (let i = 0; i < node.min && at !== undefined; i++) at = addNode(list, node.item, at);
  return at;
}

/** Everything that is reached without taking a byte. */
function closure(steps: readonly Step[], from: readonly number[], place: { atStart: boolean; atEnd: boolean }): Set<number> {
  const reached = new Set<number>();
  const pending = [...from];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    const step = steps[at] as Step;
    if (step.kind === "split") pending.push(...step.next);
    else if ((step.kind === "start" && place.atStart) || (step.kind === "end" && place.atEnd)) pending.push(step.next);
  }
  return reached;
}

/** Bytes that no step tells apart share a class. */
function classesOf(steps: readonly Step[]): { classOf: Uint8Array; representatives: number[] } {
  const sets = steps.flatMap((step) => (step.kind === "bytes" ? [step.set] : []));
  const classOf = new Uint8Array(256);
  const representatives: number[] = [];
  const known = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) {
    let key = "";
    for (const set of sets) key += set[byte] === 1 ? "1" : "0";
    let number = known.get(key);
    if (number === undefined) {
      number = representatives.push(byte) - 1;
      known.set(key, number);
    }
    classOf[byte] = number;
  }
  return { classOf, representatives };
}
