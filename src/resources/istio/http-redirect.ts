// HTTPRedirect. Envoy answers with 301, 302, 303, 307 and 308 only; other codes are refused when the route is made, so here already.
import { must, portOrZero } from "../checks/fields.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { enumOf, obj, type ObjectSchema, str, uint32 } from "../schema/schema.ts";

const CODES = new Set([0, 301, 302, 303, 307, 308]);

interface RedirectSpec {
  readonly uri?: string;
  readonly authority?: string;
  readonly port?: number;
  readonly derivePort?: string;
  readonly scheme?: string;
  readonly prefixRewrite?: string;
}

export const redirect: ObjectSchema = obj<RedirectSpec>(
  {
    uri: str(),
    authority: str(),
    port: portOrZero,
    derivePort: enumOf(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]),
    scheme: str({
      check: must(
        (scheme: string) => (["", "http", "https"].includes(scheme) ? undefined : `${JSON.stringify(scheme)} is no scheme`),
        "Write http or https.",
      ),
    }),
    redirectCode: uint32({
      check: must((code: number) => (CODES.has(code) ? undefined : `${code} is no redirect code`), "Use 301, 302, 303, 307 or 308."),
    }),
    prefixRewrite: str(),
  },
  {
    oneOf: [["port", "derivePort"]],
    check: (value, path, report) => {
      const empty = (text: string | undefined): boolean => text === undefined || text === "";
      if (!empty(value.uri) && !empty(value.prefixRewrite))
        report.error(path, "a redirect has either uri or prefixRewrite", "Keep one of them.");
      if (
        empty(value.uri) &&
        empty(value.prefixRewrite) &&
        empty(value.authority) &&
        empty(value.scheme) &&
        value.port === undefined &&
        value.derivePort === undefined
      ) {
        report.error(path, "a redirect has uri, prefixRewrite, authority, scheme or port", "Write where to.");
      }
    },
  },
);

/** prefixRewrite replaces the matched prefix, so every uri match must be one. */
export function checkRedirect(
  route: { readonly redirect?: { readonly prefixRewrite?: string }; readonly match?: readonly ({ readonly uri?: object } | null)[] },
  path: string,
  report: Report,
): void {
  if ((route.redirect?.prefixRewrite ?? "") === "") return;
  for (const match of route.match ?? []) {
    if (match?.uri !== undefined && !Object.hasOwn(match.uri, "prefix")) {
      report.error(
        joinPath(joinPath(path, "redirect"), "prefixRewrite"),
        "prefixRewrite needs uri matches by prefix",
        "Use redirect.uri, or match by prefix.",
      );
      return;
    }
  }
}
