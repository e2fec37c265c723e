// StringMatch: exact, prefix or regex; `{}` and null mean "is there". Empty prefixes are legal for uri alone (istio validateStringMatch).
import { checkRegex } from "../checks/regex.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { obj, type ObjectSchema, str } from "../schema/schema.ts";

export interface StringMatchSpec {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}

export interface StringMatchOptions {
  readonly emptyPrefix?: boolean;
  /** `*` as regex means "is there" (headers that must be absent). */
  readonly starRegex?: boolean;
  /** CORS origins: something must be written. */
  readonly notEmpty?: boolean;
}

export function stringMatch(options: StringMatchOptions = {}): ObjectSchema {
  return obj<StringMatchSpec>(
    { exact: str(), prefix: str(), regex: str() },
    { oneOf: [["exact", "prefix", "regex"]], check: (match, path, report) => checkStringMatch(match, { path, report, ...options }) },
  );
}

function checkStringMatch(match: StringMatchSpec, at: StringMatchOptions & { readonly path: string; readonly report: Report }): void {
  const { path, report } = at;
  if (match.prefix === "" && at.emptyPrefix !== true)
    report.error(joinPath(path, "prefix"), "a prefix must not be empty", "Use `{}` to ask only whether it is there.");
  if (match.regex !== undefined && !(at.starRegex === true && match.regex === "*"))
    checkRegex(match.regex, joinPath(path, "regex"), report);
  if (at.notEmpty === true && (match.exact ?? match.prefix ?? match.regex ?? "") === "")
    report.error(path, "must have exact, prefix or regex", "Write one of them.");
}
