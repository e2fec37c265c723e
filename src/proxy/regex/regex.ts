// User regexes with RE2's meaning (linear time, whole text, bytes): RE2 decides what is valid, our automaton matches what it understands.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/regex.proto
import { RE2JS } from "re2js";
import { err, ok, type Result } from "../../kit/index.ts";
import { compileAutomaton } from "./automaton.ts";
import { bytesOf } from "./latin1.ts";
import { parseSyntax } from "./syntax.ts";

export type RegexTest = (text: string) => boolean;

const KEPT = 1024;
const kept = new Map<string, RegexTest>();

/** Tests text that holds one byte per char; the pattern is ordinary text. */
export function compileRegex(pattern: string): Result<RegexTest> {
  const known = kept.get(pattern);
  if (known !== undefined) return ok(known);
  const compiled = compileRe2(pattern);
  if (!compiled.ok) return compiled;
  const re2 = compiled.value;
  const exact = (text: string): boolean => re2.testExact(text);
  const syntax = parseSyntax(bytesOf(pattern));
  const automaton = syntax === undefined ? undefined : compileAutomaton(syntax, exact);
  const test = automaton === undefined ? exact : (text: string): boolean => automaton(text.length < LONG ? text : onItsOwn(text));
  if (kept.size >= KEPT) kept.clear();
  kept.set(pattern, test);
  return ok(test);
}

/** True where the pattern fits somewhere in a text. */
export function compileSearch(pattern: string): Result<RegexTest> {
  const compiled = compileRe2(pattern);
  return compiled.ok ? ok((text) => compiled.value.test(text)) : compiled;
}

/** As Envoy's `regex_rewrite`: all occurrences, `\1` … `\9` and `\0` stand for groups. */
export function compileSubstitution(pattern: string, substitution: string): Result<(text: string) => string> {
  const compiled = compileRe2(pattern);
  if (!compiled.ok) return compiled;
  const re2 = compiled.value;
  const parts = parseSubstitution(bytesOf(substitution));
  if (!parts.ok) return parts;
  const highest = Math.max(0, ...parts.value.filter((part) => typeof part === "number"));
  if (highest > re2.groupCount()) return err(`substitution names group ${highest}, the pattern has ${re2.groupCount()}`);
  return ok((text) => replaceAll(re2, text, parts.value));
}

/** From here on a text is copied before it is read. */
const LONG = 256;
// eslint-disable-next-line no-control-regex
const WIDE = /[^\0-\xff]/;
let lastText = "";
let lastCopy = "";

/** A part of a larger text costs more than twice as much to read char by char. Many rules read the same one, one after the other. */
function onItsOwn(text: string): string {
  if (text !== lastText) {
    lastCopy = WIDE.test(text) ? text : Buffer.from(text, "latin1").toString("latin1");
    lastText = text;
  }
  return lastCopy;
}

function compileRe2(pattern: string): Result<RE2JS> {
  try {
    return ok(RE2JS.compile(bytesOf(pattern)));
  } catch (error) {
    return err(`regex ${JSON.stringify(pattern)} is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parseSubstitution(text: string): Result<readonly (string | number)[]> {
  const parts: (string | number)[] = [];
  for (const [, plain, escaped] of text.matchAll(/([^\\]+)|\\([^]?)/g)) {
    if (plain !== undefined) parts.push(plain);
    else if (escaped === "\\") parts.push("\\");
    else if (escaped !== undefined && /^\d$/.test(escaped)) parts.push(Number(escaped));
    else return err(`substitution ${JSON.stringify(text)}: a backslash stands before a digit or a backslash`);
  }
  return ok(parts);
}

/** RE2's GlobalReplace: an empty match right after a match does not count. */
function replaceAll(re2: RE2JS, text: string, parts: readonly (string | number)[]): string {
  const matcher = re2.matcher(text);
  let out = "";
  let at = 0;
  let lastEnd = -1;
  while (at <= text.length && matcher.find(at)) {
    const start = matcher.start();
    const end = matcher.end();
    out += text.slice(at, start);
    at = start;
    if (start === end && start === lastEnd) {
      out += text.slice(at, at + 1);
      at++;
      continue;
    }
    for (const part of parts) out += typeof part === "string" ? part : (matcher.group(part) ?? "");
    at = end;
    lastEnd = end;
  }
  return out + text.slice(at);
}
