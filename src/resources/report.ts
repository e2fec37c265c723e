// Collects what is wrong with one resource while it is read; turns it into Issues with their places.
import type { Issue, ResourceRef, Severity } from "../kit/index.ts";
import type { Locate } from "./resource.ts";

/** Istio's codes where the meaning is Istio's, else ours. */
export const CODE = {
  deprecated: "IST0002",
  schemaError: "IST0106",
  schemaWarning: "IST0133",
  misplacedAnnotation: "IST0107",
  unreachableRule: "IST0130",
  ineffectiveMatch: "IST0131",
  yaml: "SERIN0101",
  noResource: "SERIN0102",
  unknownKind: "SERIN0103",
  oldApiVersion: "SERIN0104",
  notYet: "SERIN0105",
  ignoredLocally: "SERIN0106",
  duplicate: "SERIN0107",
  tooMany: "SERIN0108",
} as const;

export interface Finding {
  readonly path: string;
  readonly message: string;
  readonly fix?: string | undefined;
  readonly code?: string;
}

export interface Report {
  error(path: string, message: string, fix?: string): void;
  warning(path: string, message: string, fix?: string): void;
  add(severity: Severity, finding: Finding): void;
  /** True once an error was reported. */
  failed(): boolean;
}

export interface CollectedReport extends Report {
  readonly issues: readonly Issue[];
}

export function createReport(options: {
  readonly ref: () => ResourceRef;
  readonly locate: Locate;
  readonly limit: number;
}): CollectedReport {
  const issues: Issue[] = [];
  let failed = false;

  function push(severity: Severity, finding: Finding): void {
    const code = finding.code ?? (severity === "error" ? CODE.schemaError : CODE.schemaWarning);
    issues.push({
      code,
      severity,
      message: finding.message,
      ...(finding.fix === undefined ? {} : { fix: finding.fix }),
      resource: options.ref(),
      path: finding.path,
      ...options.locate(finding.path),
    });
  }

  function add(severity: Severity, finding: Finding): void {
    if (severity === "error") failed = true;
    if (issues.length < options.limit) push(severity, finding);
    else if (issues.length === options.limit) {
      push("error", { path: "", code: CODE.tooMany, message: "there are more issues in this document", fix: "Mend these first." });
      failed = true;
    }
  }

  return {
    issues,
    add,
    error: (path, message, fix) => add("error", { path, message, fix }),
    warning: (path, message, fix) => add("warning", { path, message, fix }),
    failed: () => failed,
  };
}
