// Envoy's StringMatcher as a test of text that holds one byte per char.
import type { StringMatcher } from "../../envoy-api/index.ts";
import type { TextMatcher } from "../config/index.ts";
import { compileFullMatch } from "../regex/compile-regex.ts";
import { refuse } from "./guard.ts";

/** UTF-8 bytes, one per char: headers and paths are compared byte by byte. */
export function bytesOf(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function stringTest(message: StringMatcher, path: string): { test: TextMatcher; describe: string } {
  const { matchPattern: kind, ignoreCase } = message;
  const fold = (value: string): string => (ignoreCase ? value.toLowerCase() : value);
  const suffix = ignoreCase ? " (in any case)" : "";
  switch (kind.case) {
    case "exact": {
      const value = fold(bytesOf(kind.value));
      return { test: (v) => fold(v) === value, describe: `= "${kind.value}"${suffix}` };
    }
    case "prefix": {
      const value = fold(bytesOf(kind.value));
      return { test: (v) => fold(v).startsWith(value), describe: `starts with "${kind.value}"${suffix}` };
    }
    case "suffix": {
      const value = fold(bytesOf(kind.value));
      return { test: (v) => fold(v).endsWith(value), describe: `ends with "${kind.value}"${suffix}` };
    }
    case "contains": {
      const value = fold(bytesOf(kind.value));
      return { test: (v) => fold(v).includes(value), describe: `contains "${kind.value}"${suffix}` };
    }
    case "safeRegex":
      return { test: compileFullMatch(kind.value.regex), describe: `matches ${kind.value.regex}` };
    default:
      return refuse(path, "this proxy does not support this kind of string match yet");
  }
}
