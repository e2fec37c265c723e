// HTTPRoute: match, one kind of action, and what goes with it (networking/v1alpha3/virtual_service.proto, istio validateHTTPRoute).
import { duration, must } from "../checks/fields.ts";
import { isAuthority, isHeaderName } from "../checks/headers.ts";
import { regexProblem } from "../checks/regex.ts";
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { bool, enumOf, list, num, obj, type ObjectSchema, oldName, req, str, uint32 } from "../schema/schema.ts";
import { destination, weightedDestinations } from "./destination.ts";
import { headers } from "./header-operations.ts";
import { fault } from "./http-fault.ts";
import { httpMatches } from "./http-match.ts";
import { checkRedirect, redirect } from "./http-redirect.ts";
import { retries } from "./http-retry.ts";
import { stringMatch } from "./string-match.ts";

const CORS_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "*"];

function corsHeaderProblem(name: string): string | undefined {
  return name === "*" || isHeaderName(name) ? undefined : `${JSON.stringify(name)} is no header name`;
}

const corsHeaders = list(str({ check: must(corsHeaderProblem) }));

const corsPolicy = obj({
  allowOrigin: list(str()),
  allowOrigins: list(stringMatch({ notEmpty: true })),
  allowMethods: list(
    str({
      check: must(
        (method: string) => (CORS_METHODS.includes(method) ? undefined : `${JSON.stringify(method)} is no HTTP method`),
        `Use ${CORS_METHODS.join(", ")}.`,
      ),
    }),
  ),
  allowHeaders: corsHeaders,
  exposeHeaders: corsHeaders,
  maxAge: duration({ seconds: true }),
  allowCredentials: bool(),
  unmatchedPreflights: enumOf(["UNSPECIFIED", "FORWARD", "IGNORE"]),
});

const MAX_BODY = 1024 * 1024;
const LARGE_BODY = 100 * 1024;

const directResponse = obj<{ readonly body?: { readonly string?: string; readonly bytes?: string } }>(
  {
    status: req(
      uint32({
        check: must((status: number) => (status < 200 || status > 600 ? `a status is from 200 to 599, but this is ${status}` : undefined)),
      }),
    ),
    body: obj(
      { string: str(), bytes: str({ pattern: /^[A-Za-z0-9+/_-]*={0,2}$/, patternName: "base64" }) },
      { oneOf: [["string", "bytes"]] },
    ),
  },
  {
    check: ({ body }, path, report) => {
      const size = body?.string !== undefined ? Buffer.byteLength(body.string) : Buffer.byteLength(body?.bytes ?? "", "base64");
      if (size > MAX_BODY) report.error(joinPath(path, "body"), "a direct response has at most 1 MiB", "Serve it from a service.");
      else if (size > LARGE_BODY)
        report.warning(joinPath(path, "body"), "a large direct response is sent to every proxy", "Serve it from a service.");
    },
  },
);

const rewrite = obj<{
  readonly uri?: string;
  readonly authority?: string;
  readonly uriRegexRewrite?: { readonly match?: string; readonly rewrite?: string };
}>(
  { uri: str(), authority: str(), uriRegexRewrite: obj({ match: str(), rewrite: str() }) },
  {
    check: (value, path, report) => {
      const pattern = value.uriRegexRewrite;
      if ((value.uri ?? "") !== "" && pattern !== undefined)
        report.error(path, "a rewrite has either uri or uriRegexRewrite", "Keep one of them.");
      if ((value.uri ?? "") === "" && pattern === undefined && (value.authority ?? "") === "") {
        report.error(path, "a rewrite has uri, uriRegexRewrite or authority", "Write one of them, or remove the rewrite.");
      }
      if (pattern === undefined) return;
      const at = joinPath(path, "uriRegexRewrite");
      if ((pattern.match ?? "") === "" || (pattern.rewrite ?? "") === "")
        report.error(at, "uriRegexRewrite needs match and rewrite", "Write both.");
      else {
        const message = regexProblem(pattern.match ?? "");
        if (message !== undefined)
          report.error(joinPath(at, "match"), message, "Use RE2 syntax: https://github.com/google/re2/wiki/Syntax.");
      }
    },
  },
);

const percentage = obj({ value: num({ min: 0, max: 100 }) });
const mirrorPercent = uint32({
  check: must((value: number) => (value > 100 ? `a percentage is 100 at most, but this is ${value}` : undefined)),
});

interface HeaderNames {
  readonly request?: { readonly set?: object; readonly add?: object };
}

interface RouteSpec {
  readonly rewrite?: { readonly authority?: string };
  readonly headers?: HeaderNames;
  readonly mirror?: unknown;
  readonly mirrors?: readonly unknown[];
  readonly redirect?: { readonly prefixRewrite?: string };
  readonly match?: readonly ({ readonly uri?: object } | null)[];
}

/** The authority can be changed in one place only. */
function checkAuthority(route: RouteSpec, path: string, report: Report): void {
  const request = route.headers?.request;
  const names = [...Object.keys(request?.set ?? {}), ...Object.keys(request?.add ?? {})].filter(isAuthority);
  const places = names.length + ((route.rewrite?.authority ?? "") === "" ? 0 : 1);
  if (places > 1)
    report.error(
      joinPath(path, "headers"),
      "the authority is changed in more than one place",
      "Keep rewrite.authority or one header operation.",
    );
}

export const httpRoute: ObjectSchema = obj<RouteSpec>(
  {
    name: str(),
    match: httpMatches,
    route: weightedDestinations({ headers }),
    redirect,
    directResponse,
    delegate: obj({ name: str(), namespace: str() }),
    rewrite,
    timeout: duration(),
    retries,
    fault,
    mirror: destination,
    mirrorPercent,
    mirror_percent: oldName(mirrorPercent, "mirrorPercent"),
    mirrorPercentage: percentage,
    mirrors: list(obj({ destination: req(destination), percentage })),
    corsPolicy,
    headers,
  },
  {
    check: (route, path, report) => {
      checkAuthority(route, path, report);
      checkRedirect(route, path, report);
      if (route.mirror !== undefined && (route.mirrors?.length ?? 0) > 0)
        report.error(joinPath(path, "mirror"), "a route has either mirror or mirrors", "Keep mirrors.");
    },
  },
);
