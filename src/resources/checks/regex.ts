// Regexes are RE2 and nothing else (linear time), checked when a resource is read, as istiod does; 1,024 bytes at most.
import { RE2JS } from "re2js";
import type { Check } from "../schema/schema.ts";

const MAX_BYTES = 1024;

export function regexProblem(pattern: string): string | undefined {
  if (pattern === "") return "a regex must not be empty";
  if (Buffer.byteLength(pattern) > MAX_BYTES) return `a regex has at most ${MAX_BYTES} bytes, but this has ${Buffer.byteLength(pattern)}`;
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `not an RE2 regex: ${(error as Error).message.replace(/^error parsing regexp: /, "").split("\n", 1)[0]}`;
  }
}

/** Finds the pattern anywhere in a text; of one that is no regex, nowhere. */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (regexProblem(pattern) !== undefined) return () => false;
  const regex = RE2JS.compile(pattern);
  return (text) => regex.matcher(text).find();
}

export const checkRegex: Check<string> = (pattern, path, report) => {
  const message = regexProblem(pattern);
  if (message !== undefined)
    report.error(path, message, "Use RE2 syntax (no look-around, no back references): https://github.com/google/re2/wiki/Syntax.");
};
