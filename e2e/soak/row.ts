// One row of the fault matrix: a fault under load, played on either data plane, in a long form (npm run soak) and a short one (npm test).
import type { Plane } from "../mesh.ts";

export interface SoakContext {
  readonly plane: Plane;
  /** The row's full counts, or the few that a test run has time for. */
  pick(full: number, short: number): number;
}

export interface Figure {
  readonly name: string;
  readonly value: string;
  /** Does it hold what the row promises? Figures that are only told are always good. */
  readonly good: boolean;
}

export interface SoakRow {
  /** Its number in the fault matrix. */
  readonly number: number;
  readonly title: string;
  readonly run: (context: SoakContext) => Promise<readonly Figure[]>;
}

export const told = (name: string, value: string | number): Figure => ({ name, value: String(value), good: true });

export const atMost = (name: string, value: number, limit: number, unit = ""): Figure => ({
  name,
  value: `${round(value)}${unit} (at most ${limit}${unit})`,
  good: value <= limit,
});

export const atLeast = (name: string, value: number, limit: number, unit = ""): Figure => ({
  name,
  value: `${round(value)}${unit} (at least ${limit}${unit})`,
  good: value >= limit,
});

/** Nothing may have failed: `text` says what did, "" = nothing. */
export const noFailure = (name: string, text: string): Figure => ({ name, value: text === "" ? "none" : text, good: text === "" });

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 3 : 1);
}
