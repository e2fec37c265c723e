import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, test } from "vitest";
import { compileAutomaton } from "./automaton.ts";
import { bytesOf } from "./latin1.ts";
import { compileRegex, compileSubstitution } from "./regex.ts";
import { parseSyntax } from "./syntax.ts";

const COOKIE = "^(.*?;)?(email=[^;]*@some-company-name.com)(;.*)?$";

function fits(pattern: string, text: string): boolean {
  const compiled = compileRegex(pattern);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value(bytesOf(text));
}

function ownOnly(pattern: string): ((text: string) => boolean) | undefined {
  const syntax = parseSyntax(bytesOf(pattern));
  return syntax === undefined
    ? undefined
    : compileAutomaton(syntax, () => {
        throw new Error("left to RE2");
      });
}

describe("compileRegex", () => {
  test.each([
    ["email=a@some-company-name.com", true],
    ["a=1;email=a@some-company-name.com", true],
    ["a=1; email=a@some-company-name.com", false],
    ["email=@some-company-name.com", true],
    ["email=eve@x@some-company-name.com;b=2", true],
    ["email=a@some-company-nameXcom", true],
    ["email=a%40some-company-name.com", false],
    ['email="a@some-company-name.com"', false],
    ["", false],
  ])("the demo's cookie rule on %j: %s", (cookie, expected) => {
    expect(fits(COOKIE, cookie)).toBe(expected);
    expect(ownOnly(COOKIE)?.(cookie)).toBe(expected);
  });

  test("long texts, and parts of them, one after the other", () => {
    const whole = `${"abc".repeat(400)}!x${"abc".repeat(400)}?`;
    for (const [from, to, expected] of [
      [0, 1202, true],
      [1, 1202, false],
      [0, 1201, false],
      [0, 1202, true],
      [0, 2403, false],
    ] as const)
      expect(fits("(abc)*!x", whole.slice(from, to))).toBe(expected);
    expect(fits(".*\u0141", "a".repeat(300) + "\u0141")).toBe(true);
    expect(fits(".*A", "a".repeat(300) + "\u0141")).toBe(false);
  });

  test("a dot is one byte, text compares as UTF-8", () => {
    expect(fits("caf.", "café")).toBe(false);
    expect(fits("caf..", "café")).toBe(true);
    expect(fits("café", "café")).toBe(true);
    expect(fits("caf(é|e)", "cafe")).toBe(true);
  });

  test("matches the whole text, and takes what only RE2 understands", () => {
    expect(fits("b", "abc")).toBe(false);
    expect(fits("(?i)ABC", "aBc")).toBe(true);
    expect(fits("a\\b.*", "a b")).toBe(true);
    expect(fits("[[:alpha:]]+", "abc")).toBe(true);
  });

  test.each(["(?=a)", "(a)\\1", "*", "[", "a{1001}", "(?<=a)b"])("refuses %s", (pattern) => {
    expect(compileRegex(pattern).ok).toBe(false);
  });

  test("a pattern that makes backtracking explode is linear", () => {
    const matcher = ownOnly("(a*)*(a|a)*b");
    expect(matcher?.("a".repeat(100_000))).toBe(false);
    expect(fits("(x+x+)+y", "x".repeat(5000))).toBe(false);
  });

  test("a pattern with exponentially many states is still right", () => {
    const text = `${"ab".repeat(40)}a${"b".repeat(11)}`;
    expect(fits("(a|b)*a(a|b){11}", text)).toBe(true);
    expect(fits("(a|b)*a(a|b){11}", `${text}b`)).toBe(false);
  });

  test("agrees with RE2 on any pattern and text of its alphabet", () => {
    const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "[a-c]", "\\d", "\\W", "\\.", ";", "^", "$", "[]a]", "[a\\-c]", "\\s", "é");
    const pattern: fc.Arbitrary<string> = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 4 },
        atom,
        fc.tuple(tie("pattern"), tie("pattern")).map(([x, y]) => x + y),
        fc.tuple(tie("pattern"), tie("pattern")).map(([x, y]) => `(${x}|${y})`),
        fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}")).map(([x, q]) => `(?:${x})${q}`),
      ),
    })).pattern;
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "1", ";", ".", "-", "\n", " ", "]", "é"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        const own = ownOnly(source);
        if (own === undefined) throw new Error(`not understood: ${source}`);
        expect(own(bytesOf(value))).toBe(RE2JS.compile(bytesOf(source)).testExact(bytesOf(value)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("compileSubstitution", () => {
  test.each([
    ["a", "b", "banana", "bbnbnb"],
    ["(n)(a)", "\\2\\1", "banana", "baanan"],
    ["^/old", "/new", "/old/old", "/new/old"],
    ["x*", "-", "abc", "-a-b-c-"],
    ["b*", "-", "abbc", "-a-c-"],
    ["a", "\\0\\\\", "ca", "ca\\"],
  ])("%s → %s on %s", (pattern, substitution, text, expected) => {
    const compiled = compileSubstitution(pattern, substitution);
    expect(compiled.ok && compiled.value(text)).toBe(expected);
  });

  test("refuses groups that are not there and lone backslashes", () => {
    expect(compileSubstitution("a", "\\1").ok).toBe(false);
    expect(compileSubstitution("a", "\\x").ok).toBe(false);
    expect(compileSubstitution("a", "x\\").ok).toBe(false);
  });
});
