// The part of RE2's syntax that our own matcher understands: literals, classes, groups, alternatives, quantifiers, anchors. The rest
// (flags, word boundaries, Unicode classes) stays with RE2 itself. https://github.com/google/re2/wiki/Syntax

/** Which of the 256 byte values. */
export type ByteSet = Uint8Array;

export type Node =
  | { readonly kind: "bytes"; readonly set: ByteSet }
  | { readonly kind: "start" | "end" | "empty" }
  | { readonly kind: "sequence" | "choice"; readonly items: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly min: number; readonly max: number };

/** One char per byte; must be a pattern that RE2 takes. undefined = it has something that is not understood here. */
export function parseSyntax(pattern: string): Node | undefined {
  const parser = { pattern, at: 0 };
  try {
    const node = parseChoice(parser);
    return parser.at === pattern.length ? node : undefined;
  } catch (error) {
    if (error === NOT_OURS) return undefined;
    throw error;
  }
}

interface Parser {
  readonly pattern: string;
  at: number;
}

const NOT_OURS: unique symbol = Symbol("not ours");

function parseChoice(parser: Parser): Node {
  const items = [parseSequence(parser)];
  while (parser.pattern[parser.at] === "|") {
    parser.at++;
    items.push(parseSequence(parser));
  }
  return items.length === 1 ? (items[0] as Node) : { kind: "choice", items };
}

function parseSequence(parser: Parser): Node {
  const items: Node[] = [];
  while (parser.at < parser.pattern.length && !"|)".includes(parser.pattern[parser.at] as string)) {
    items.push(parseQuantified(parser));
  }
  return { kind: "sequence", items };
}

function parseQuantified(parser: Parser): Node {
  let node = parseAtom(parser);
  for (;;) {
    const bounds = parseQuantifier(parser);
    if (bounds === undefined) return node;
    // Lazy or greedy finds the same texts when the whole text must fit.
    if (parser.pattern[parser.at] === "?") parser.at++;
    node = { kind: "repeat", item: node, min: bounds[0], max: bounds[1] };
  }
}

function parseQuantifier(parser: Parser): readonly [number, number] | undefined {
  const { pattern, at } = parser;
  const sign = pattern[at];
  if (sign === "*" || sign === "+" || sign === "?") {
    parser.at++;
    return sign === "*" ? [0, Infinity] : sign === "+" ? [1, Infinity] : [0, 1];
  }
  const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(pattern.slice(at, at + 12));
  if (match === null) return undefined;
  parser.at += match[0].length;
  const min = Number(match[1]);
  return [min, match[2] === undefined ? min : match[3] === "" ? Infinity : Number(match[3])];
}

function parseAtom(parser: Parser): Node {
  const char = parser.pattern[parser.at++] as string;
  switch (char) {
    case "(":
      return parseGroup(parser);
    case "[":
      return { kind: "bytes", set: parseClass(parser) };
    case ".":
      return { kind: "bytes", set: invert(setOf("\n")) };
    case "^":
      return { kind: "start" };
    case "$":
      return { kind: "end" };
    case "\\":
      return { kind: "bytes", set: parseEscape(parser) };
    default:
      return { kind: "bytes", set: setOf(char) };
  }
}

function parseGroup(parser: Parser): Node {
  if (parser.pattern[parser.at] === "?") {
    if (!parser.pattern.startsWith("?:", parser.at)) throw NOT_OURS;
    parser.at += 2;
  }
  const node = parseChoice(parser);
  if (parser.pattern[parser.at++] !== ")") throw NOT_OURS;
  return node;
}

const DIGITS = range("0", "9");
const WORD = union(DIGITS, union(range("a", "z"), union(range("A", "Z"), setOf("_"))));
const SPACE = setOf("\t\n\f\r ");
const NAMED: Readonly<Record<string, ByteSet>> = {
  d: DIGITS,
  D: invert(DIGITS),
  w: WORD,
  W: invert(WORD),
  s: SPACE,
  S: invert(SPACE),
  n: setOf("\n"),
  r: setOf("\r"),
  t: setOf("\t"),
  f: setOf("\f"),
};

function parseEscape(parser: Parser): ByteSet {
  const char = parser.pattern[parser.at++];
  if (char === undefined) throw NOT_OURS;
  if (/[!-/:-@[-`{-~]/.test(char)) return setOf(char);
  const named = Object.hasOwn(NAMED, char) ? NAMED[char] : undefined;
  if (named === undefined) throw NOT_OURS;
  return named;
}

function parseClass(parser: Parser): ByteSet {
  const { pattern } = parser;
  const negated = pattern[parser.at] === "^";
  if (negated) parser.at++;
  let set: ByteSet = new Uint8Array(256);
  let first = true;
  while (first || pattern[parser.at] !== "]") {
    if (parser.at >= pattern.length || pattern.startsWith("[:", parser.at)) throw NOT_OURS;
    first = false;
    const low = parseClassItem(parser);
    if (pattern[parser.at] === "-" && pattern[parser.at + 1] !== "]" && low.length === 1) {
      parser.at++;
      const high = parseClassItem(parser);
      if (high.length !== 1) throw NOT_OURS;
      set = union(set, range(low, high));
    } else set = union(set, low.length === 1 ? setOf(low) : (NAMED[low[1] as string] as ByteSet));
  }
  parser.at++;
  return negated ? invert(set) : set;
}

/** One char, or the name of a set (`\d`) with its backslash. */
function parseClassItem(parser: Parser): string {
  const char = parser.pattern[parser.at++];
  if (char === undefined) throw NOT_OURS;
  if (char !== "\\") return char;
  const escaped = parser.pattern[parser.at];
  const set = parseEscape(parser);
  const only = set.indexOf(1);
  return set.indexOf(1, only + 1) < 0 ? String.fromCharCode(only) : `\\${escaped}`;
}

function setOf(chars: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < chars.length; i++) set[chars.charCodeAt(i)] = 1;
  return set;
}

function range(low: string, high: string): ByteSet {
  return new Uint8Array(256).fill(1, low.charCodeAt(0), high.charCodeAt(0) + 1);
}

function union(a: ByteSet, b: ByteSet): ByteSet {
  return a.map((value, i) => value | (b[i] as number));
}

function invert(set: ByteSet): ByteSet {
  return set.map((value) => 1 - value);
}
