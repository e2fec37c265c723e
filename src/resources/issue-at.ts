// An Issue about a field of a resource, with its place in the user's file.
import type { Issue, Severity } from "../kit/index.ts";
import { refOf, type Resource } from "./resource.ts";

export function issueAt(
  resource: Resource,
  path: string,
  what: { readonly code: string; readonly severity: Severity; readonly message: string; readonly fix?: string | undefined },
): Issue {
  const { code, severity, message, fix } = what;
  return { code, severity, message, ...(fix === undefined ? {} : { fix }), resource: refOf(resource), path, ...resource.locate(path) };
}
