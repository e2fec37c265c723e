// What is wrong with the user's config, as a value: where it stands, what it is, how to mend it. Never thrown.
export type Severity = "error" | "warning" | "info";

export interface ResourceRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** `line` and `column` are 1-based; `path` is the field path (`spec.http[0].route[1].weight`), empty for the whole resource. */
export interface Issue {
  /** Istio's `IST####` code where the meaning is the same, else `SERIN####`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly fix?: string;
  readonly resource: ResourceRef;
  readonly path: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
