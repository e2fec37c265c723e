// The one list of cases that do not pass yet, by data plane, each with the feature it waits for. A listed case that passes fails the run.
// "*" as plane: on every way of playing it.
export interface Pending {
  readonly case: string;
  readonly plane: "serin" | "envoy" | "matcher" | "*";
  readonly waitsFor: string;
}

export const PENDING: readonly Pending[] = [];
