// An issue as people read it: place, code and resource, what is wrong, what to do.
import type { Issue, Severity } from "../kit/index.ts";
import type { Output, Style } from "./output.ts";

const STYLE: Readonly<Record<Severity, Style>> = { error: "red", warning: "yellow", info: "cyan" };

export function formatIssue(issue: Issue, out: Output): string {
  const { kind, namespace, name } = issue.resource;
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file;
  const resource = name === "" ? kind : `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`;
  const head = [place, out.style(STYLE[issue.severity], issue.severity), issue.code, resource, issue.path].filter((part) => part !== "");
  return [head.join(" "), `  ${issue.message}`, ...(issue.fix === undefined ? [] : [`  ${issue.fix}`])].join("\n");
}

/** "2 errors, 1 warning"; empty when there is nothing. */
export function countIssues(issues: readonly Issue[]): string {
  const parts: string[] = [];
  for (const severity of ["error", "warning", "info"] as const) {
    const n = issues.filter((issue) => issue.severity === severity).length;
    if (n > 0) parts.push(`${n} ${severity === "info" ? "note" : severity}${n === 1 ? "" : "s"}`);
  }
  return parts.join(", ");
}
