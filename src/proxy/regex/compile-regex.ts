// Users' regular expressions: RE2 semantics on bytes (text holds one byte per char), linear time. V8 runs those whose work is bounded.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/regex.proto
import { RE2JS } from "re2js";
import type { TextMatcher } from "../config/index.ts";
import { longestForV8 } from "./is-bounded.ts";

/** The pattern as its UTF-8 bytes: what is not ASCII in it stands for single bytes in the text. */
function toBytes(pattern: string): string {
  return Buffer.from(pattern, "utf8").toString("latin1");
}

function compileRe2(pattern: string): RE2JS {
  try {
    return RE2JS.compile(toBytes(pattern));
  } catch (error) {
    throw new Error(`the regex ${pattern} is not RE2: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Tests whether the whole text matches. Throws when the pattern is not RE2's. */
export function compileFullMatch(pattern: string): TextMatcher {
  const re2 = compileRe2(pattern);
  const exact = (value: string): boolean => re2.matcher(value).matches();
  const longest = longestForV8(pattern);
  if (longest === 0) return exact;
  const v8 = new RegExp(`^(?:${pattern})$`);
  return (value) => (value.length <= longest ? v8.test(value) : exact(value));
}

/** Envoy's substitution: `\1` is a group, `\\` a backslash; every occurrence is replaced. */
export function compileSubstitution(pattern: string, substitution: string): (text: string) => string {
  const re2 = compileRe2(pattern);
  const parts = [...toBytes(substitution).matchAll(/\\(\d|\\)|([^\\]+)/g)].map((m) =>
    m[2] !== undefined ? m[2] : m[1] === "\\" ? "\\" : Number(m[1]),
  );
  return (text) => {
    const matcher = re2.matcher(text);
    let out = "";
    let last = 0;
    while (matcher.find()) {
      out += text.slice(last, matcher.start());
      for (const part of parts) out += typeof part === "string" ? part : (matcher.group(part) ?? "");
      last = matcher.end();
    }
    return out + text.slice(last);
  };
}
