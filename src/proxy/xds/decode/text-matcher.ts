// Envoy's StringMatcher and RegexMatcher, compiled to a test on text that holds one byte per char.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/string.proto
import type { TextMatcher } from "../../config/index.ts";
import { bytesOf } from "../../regex/latin1.ts";
import { compileRegex, compileSubstitution } from "../../regex/regex.ts";
import type { Reader } from "../../wire/reader.ts";

export interface Described {
  readonly test: TextMatcher;
  readonly describe: string;
}

type Kind = "exact" | "prefix" | "suffix" | "contains";

export function plainMatcher(kind: Kind, text: string, ignoreCase = false): Described {
  const wanted = ignoreCase ? fold(bytesOf(text)) : bytesOf(text);
  const ready = ignoreCase ? fold : (value: string): string => value;
  const tests: Readonly<Record<Kind, TextMatcher>> = {
    exact: (value) => ready(value) === wanted,
    prefix: (value) => ready(value).startsWith(wanted),
    suffix: (value) => ready(value).endsWith(wanted),
    contains: (value) => ready(value).includes(wanted),
  };
  return { test: tests[kind], describe: `${kind} ${JSON.stringify(text)}${ignoreCase ? " in any case" : ""}` };
}

/** ASCII only: other bytes are parts of UTF-8 characters. */
function fold(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function decodeRegex(reader: Reader): Described & { readonly source: string } {
  const source = reader.text("regex");
  if (source === "") reader.refuse("regex", "is empty");
  const compiled = compileRegex(source);
  if (!compiled.ok) return reader.refuse("regex", compiled.error);
  return { test: compiled.value, describe: `regex ${source}`, source };
}

export function decodeSubstitution(reader: Reader): { substitute: (text: string) => string; source: string; substitution: string } {
  const pattern = reader.message("pattern");
  if (pattern === undefined) return reader.refuse("pattern", "is missing");
  const source = pattern.text("regex");
  const substitution = reader.text("substitution");
  const compiled = compileSubstitution(source, substitution);
  if (!compiled.ok) return reader.refuse("", compiled.error);
  return { substitute: compiled.value, source, substitution };
}

export function decodeStringMatcher(reader: Reader): Described {
  const ignoreCase = reader.flag("ignore_case");
  const regex = reader.message("safe_regex");
  if (regex !== undefined) return decodeRegex(regex);
  for (const kind of ["exact", "prefix", "suffix", "contains"] as const) {
    const text = reader.optionalText(kind);
    if (text === undefined) continue;
    if (text === "" && kind !== "exact") reader.refuse(kind, "is empty");
    return plainMatcher(kind, text, ignoreCase);
  }
  return reader.refuse("", "has no pattern");
}
