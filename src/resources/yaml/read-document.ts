// One YAML or JSON document → plain values and the place of every field. Whatever could harm is refused by name: unknown tags, duplicate
// and prototype keys, NUL, directives, too many aliases, values or levels.
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from "yaml";
import { FORBIDDEN_KEYS, type ParseLimits } from "../limits.ts";
import { KNOWN_TAGS, parsePlainScalar, parseTaggedScalar } from "./scalar.ts";
import { isTooDeep } from "./scan-depth.ts";
import type { DocumentText } from "./split-documents.ts";

export interface YamlProblem {
  readonly message: string;
  readonly fix: string;
  /** In the whole file, 1-based. */
  readonly line: number;
  readonly column: number;
}

export interface YamlDocument {
  readonly value: unknown;
  readonly root: Node | null;
  readonly problems: readonly YamlProblem[];
  /** Place of an offset in the document's text. */
  readonly positionOf: (offset: number) => { readonly line: number; readonly column: number };
}

export function readDocument(document: DocumentText, limits: ParseLimits): YamlDocument {
  const text = document.text.replace(/^(?:---|\.\.\.)/, "   ");
  const counter = new LineCounter();
  const problems: YamlProblem[] = [];
  const positionOf = (offset: number): { line: number; column: number } => {
    const { line, col } = counter.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line) + document.linesBefore, column: Math.max(1, col) };
  };
  const problem = (offset: number, message: string, fix: string): void => {
    if (problems.length < limits.issues) problems.push({ message, fix, ...positionOf(offset) });
  };
  const refuse = (offset: number, message: string, fix: string): YamlDocument => {
    countLines(text, counter);
    problem(offset, message, fix);
    return { value: undefined, root: null, problems, positionOf };
  };

  if (text.length > limits.documentLength) {
    return refuse(0, `the document is larger than ${limits.documentLength} characters`, "Split it with `---` or into files.");
  }
  const nul = text.indexOf("\0");
  if (nul !== -1) return refuse(nul, "the document has a NUL character", "Remove it; the file may be binary.");
  const directive = /^%.*/m.exec(text);
  if (directive !== null && !/^%YAML 1\.[12]\s*$/.test(directive[0])) {
    return refuse(directive.index, "YAML directives are not supported", "Remove the line.");
  }
  if (isTooDeep(text, limits.depth)) return refuse(0, `the document nests deeper than ${limits.depth} levels`, "Flatten it.");

  const parsed = parseDocument(text, {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: false,
    schema: "failsafe",
    logLevel: "silent",
    merge: false,
  });
  for (const error of parsed.errors) problem(error.pos[0], `not valid YAML: ${firstLine(error.message)}`, "Mend the syntax here.");
  if (problems.length > 0) return { value: undefined, root: parsed.contents, problems, positionOf };
  const value = toValue(parsed.contents, { limits, problem, anchors: new Map() });
  return { value: problems.length > 0 ? undefined : value, root: parsed.contents, problems, positionOf };
}

/** The parser does it as it goes; where the document is refused before, its lines are counted here. */
function countLines(text: string, counter: LineCounter): void {
  counter.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1 && counter.lineStarts.length < 100_000; at = text.indexOf("\n", at + 1))
    counter.addNewLine(at + 1);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.replace(/[.:]$/, "") ?? text;
}

interface Reading {
  readonly limits: ParseLimits;
  readonly problem: (offset: number, message: string, fix: string) => void;
  readonly anchors: Map<string, Node>;
}

function toValue(contents: Node | null, reading: Reading): unknown {
  const { limits, problem, anchors } = reading;
  let nodes = 0;
  let aliases = 0;
  /** Aliases being written out, so that a ring is seen. */
  const open = new Set<Node>();

  function read(node: Node | null, offset: number, depth: number): unknown {
    if (node === null) return null;
    const at = node.range?.[0] ?? offset;
    if (++nodes > limits.nodes || depth > limits.depth) {
      if (nodes === limits.nodes + 1) problem(at, `the document has more than ${limits.nodes} values`, "Split it.");
      else if (depth > limits.depth) problem(at, `the document nests deeper than ${limits.depth} levels`, "Flatten it.");
      return undefined;
    }
    if (isAlias(node)) return readAlias(node.source, at, depth);
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    if (node.tag !== undefined && !KNOWN_TAGS.has(node.tag)) {
      problem(at, `the tag ${node.tag} is not supported`, "Remove it and write a plain value.");
      return undefined;
    }
    if (isScalar(node)) return readScalar(node, at);
    open.add(node);
    const value = isMap(node)
      ? readMap(node.items, at, depth)
      : isSeq(node)
        ? node.items.map((item) => read(item as Node | null, at, depth + 1))
        : undefined;
    open.delete(node);
    return value;
  }

  function readAlias(name: string, at: number, depth: number): unknown {
    const target = anchors.get(name);
    if (++aliases > limits.aliases) {
      if (aliases === limits.aliases + 1) problem(at, `the document has more than ${limits.aliases} aliases`, "Write the values out.");
      return undefined;
    }
    if (target === undefined) problem(at, `the alias *${name} has no anchor before it`, `Define &${name} first, or write the value out.`);
    else if (open.has(target)) problem(at, `the alias *${name} contains itself`, "Write the value out.");
    else return read(target, at, depth);
    return undefined;
  }

  function readScalar(node: Scalar, at: number): unknown {
    const source = typeof node.value === "string" ? node.value : String(node.value ?? "");
    if (node.tag !== undefined) {
      const value = parseTaggedScalar(node.tag, source);
      if (value === undefined) problem(at, `${JSON.stringify(source.slice(0, 40))} does not fit its tag`, "Remove the tag.");
      return value;
    }
    return node.type === "PLAIN" ? parsePlainScalar(source) : source;
  }

  function readMap(items: readonly { key: unknown; value: unknown }[], at: number, depth: number): unknown {
    const result: Record<string, unknown> = {};
    const own = new Set<string>();
    for (const { key, value } of items) {
      const keyAt = (key as Node | null)?.range?.[0] ?? at;
      nodes++;
      if (!isScalar(key)) {
        problem(keyAt, "a key is no plain text", "Use text as keys.");
        continue;
      }
      const name = String(key.value ?? "");
      const entry = value as Node | null;
      if (name === "<<" && key.type === "PLAIN") {
        mergeInto(result, read(entry, keyAt, depth + 1), { own, at: keyAt });
        continue;
      }
      if (own.has(name)) problem(keyAt, `the key ${JSON.stringify(name)} stands twice in one mapping`, "Remove one of the two.");
      else if (FORBIDDEN_KEYS.has(name)) problem(keyAt, `the key ${JSON.stringify(name)} is not allowed`, "Use another name.");
      own.add(name);
      if (!FORBIDDEN_KEYS.has(name)) result[name] = read(entry, keyAt, depth + 1);
    }
    return result;
  }

  /** YAML 1.1's merge key: fields of the other mapping that are not written down here. */
  function mergeInto(
    result: Record<string, unknown>,
    value: unknown,
    place: { readonly own: ReadonlySet<string>; readonly at: number },
  ): void {
    for (const source of Array.isArray(value) ? value : [value]) {
      if (typeof source !== "object" || source === null || Array.isArray(source)) {
        problem(place.at, "`<<` takes a mapping or a list of mappings", "Use an alias of a mapping.");
        return;
      }
      for (const [name, entry] of Object.entries(source)) {
        if (!place.own.has(name) && !Object.hasOwn(result, name)) result[name] = entry;
      }
    }
  }

  return read(contents, 0, 0);
}
