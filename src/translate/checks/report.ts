// How a check makes an Issue: the resource, the field path, and the place of that path in the user's file.
import type { Issue, Severity } from "../../kit/index.ts";
import type { Resource } from "../../resources/index.ts";
import { refOf } from "../../resources/index.ts";

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly fix?: string;
  readonly path: string;
}

export function toIssue(resource: Resource, finding: Finding): Issue {
  const { file, line, column } = resource.locate(finding.path);
  return { ...finding, resource: refOf(resource), file, line, column };
}

/** IST0101, in Istio's words. */
export function notFound(
  type: string,
  name: string,
  rest: { readonly path: string; readonly fix: string; readonly severity?: Severity },
): Finding {
  return {
    code: "IST0101",
    severity: rest.severity ?? "error",
    message: `Referenced ${type} not found: "${name}"`,
    fix: rest.fix,
    path: rest.path,
  };
}
