// Compares a recorded result with one seen now; an empty text means they agree.
import type { Call } from "./case.ts";
import type { CallResult } from "./result.ts";

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  );
}

// Shares of `repeat` calls: what never came must not come, what came must come, within five standard deviations.
function sharesDiffer(want: Readonly<Record<string, number>>, got: Readonly<Record<string, number>>, n: number): string {
  for (const key of new Set([...Object.keys(want), ...Object.keys(got)])) {
    const a = (want[key] ?? 0) / n;
    const b = (got[key] ?? 0) / n;
    const deviation = Math.sqrt((a * (1 - a) + b * (1 - b)) / n + 1e-12);
    if ((a === 0) !== (b === 0) || Math.abs(a - b) > 5 * deviation + 1 / n)
      return `"${key}": ${want[key] ?? 0} expected, ${got[key] ?? 0} seen`;
  }
  return "";
}

function without(result: CallResult, names: readonly string[]): CallResult {
  const copy = structuredClone(result);
  for (const name of names) {
    delete copy[name];
    if (copy.seen !== undefined) delete copy.seen[name];
  }
  return copy;
}

export function differs(want: CallResult | undefined, got: CallResult, call: Call): string {
  if (want === undefined) return "not recorded";
  if (want.counts !== undefined && call.exact !== true) return sharesDiffer(want.counts, got.counts ?? {}, call.repeat ?? 1);
  const a = JSON.stringify(sorted(without(want, call.free ?? [])));
  const b = JSON.stringify(sorted(without(got, call.free ?? [])));
  return a === b ? "" : `\n    want ${a}\n    got  ${b}`;
}
