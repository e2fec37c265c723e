// Rules that can never be reached, and matches that an earlier rule has already taken (istioctl analyze IST0130 and IST0131).
import { pathOf } from "../field-path.ts";
import type { Report } from "../report.ts";
import { CODE } from "../report.ts";

interface Rule {
  readonly name?: string;
  readonly match?: readonly (object | null)[];
}

export function reportUnusedRules(
  spec: { readonly http?: readonly Rule[]; readonly tls?: readonly Rule[]; readonly tcp?: readonly Rule[] },
  report: Report,
): void {
  for (const kind of ["http", "tls", "tcp"] as const) {
    const rules = spec[kind] ?? [];
    reportTaken(rules, kind, report);
    if (kind === "http") reportNarrowed(rules, report);
  }
}

function nameOf(rule: Rule | undefined, index: number): string {
  return rule?.name === undefined || rule.name === "" ? `#${index}` : JSON.stringify(rule.name);
}

function unused(kind: string, rule: Rule, index: number, reason: string): { code: string; path: string; message: string; fix: string } {
  return {
    code: CODE.unreachableRule,
    path: pathOf("spec", kind, index),
    message: `rule ${nameOf(rule, index)} is never used: ${reason}`,
    fix: "Move it up, or remove it.",
  };
}

function reportTaken(rules: readonly Rule[], kind: string, report: Report): void {
  const seen = new Map<string, number>();
  let open: number | undefined;
  for (const [index, rule] of rules.entries()) {
    const matches = rule.match ?? [];
    if (open !== undefined) {
      report.add("warning", unused(kind, rule, index, `rule ${nameOf(rules[open], open)} before it has no match and takes everything`));
      continue;
    }
    if (matches.length === 0) {
      open = index;
      continue;
    }
    let taken = 0;
    for (const [position, match] of matches.entries()) {
      const key = keyOf(match);
      const earlier = seen.get(key);
      if (earlier === undefined) {
        seen.set(key, index);
        continue;
      }
      taken++;
      report.add("info", {
        code: CODE.ineffectiveMatch,
        path: pathOf("spec", kind, index, "match", position),
        message: `this match is not used: rule ${nameOf(rules[earlier], earlier)} has the same one`,
        fix: "Remove one of the two.",
      });
    }
    if (taken === matches.length) report.add("warning", unused(kind, rule, index, "all of its matches stand in earlier rules"));
  }
}

/** The same conditions give the same key, whatever their order and name. */
function keyOf(match: object | null): string {
  return JSON.stringify(match, (key, value: unknown) => {
    if (key === "name" && typeof value === "string") return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

interface Prefixed {
  readonly uri?: { readonly prefix?: string };
}

/** A shorter prefix in an earlier rule with the same other conditions. */
function reportNarrowed(rules: readonly Rule[], report: Report): void {
  const prefixes: { prefix: string; rest: string; index: number }[] = [];
  for (const [index, rule] of rules.entries()) {
    for (const [position, match] of (rule.match ?? []).entries()) {
      const prefix = (match as Prefixed | null)?.uri?.prefix;
      if (prefix === undefined || prefix === "") continue;
      const rest = keyOf({ ...match, uri: undefined });
      const wider = prefixes.find((earlier) => earlier.rest === rest && earlier.prefix !== prefix && prefix.startsWith(earlier.prefix));
      if (wider !== undefined) {
        report.add("info", {
          code: CODE.ineffectiveMatch,
          path: pathOf("spec", "http", index, "match", position),
          message: `this match is not used: the prefix ${wider.prefix} of rule ${nameOf(rules[wider.index], wider.index)} covers ${prefix}`,
          fix: "Move the narrower rule up.",
        });
      }
      prefixes.push({ prefix, rest, index });
    }
  }
}
