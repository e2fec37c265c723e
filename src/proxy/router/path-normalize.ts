// Path normalisation once, before matching; what comes out is what is matched and forwarded. The query is never touched.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details (path_normalization) as real Envoy was seen to do it.

export interface PathRules {
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly escapedSlashes: "KEEP_UNCHANGED" | "REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD";
}

export type NormalizedPath =
  | { readonly kind: "same" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "redirect"; readonly path: string }
  | { readonly kind: "refused" };

const SAME: NormalizedPath = Object.freeze({ kind: "same" });
const REFUSED: NormalizedPath = Object.freeze({ kind: "refused" });

const ESCAPED_SLASH = /%2f|%5c/i;
const SLASHES = /\/{2,}/g;
/** Nothing in a path without these can change. */
const SUSPECT = /[%\\#"<>^`{|}]|\/\.|\/\//;
const NUL = "%00";

export function normalizePath(raw: string, rules: PathRules): NormalizedPath {
  if (!SUSPECT.test(raw)) return SAME;
  let target = raw;
  const fragment = target.indexOf("#");
  if (fragment >= 0) target = target.slice(0, fragment);
  const question = target.indexOf("?");
  let path = question < 0 ? target : target.slice(0, question);
  const query = question < 0 ? "" : target.slice(question);
  let redirect = false;

  if (rules.escapedSlashes !== "KEEP_UNCHANGED" && ESCAPED_SLASH.test(path)) {
    if (rules.escapedSlashes === "REJECT_REQUEST") return REFUSED;
    path = path.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
    redirect = rules.escapedSlashes === "UNESCAPE_AND_REDIRECT";
  }
  if (rules.normalizePath && path.charCodeAt(0) === 47) {
    if (path.includes(NUL)) return REFUSED;
    path = resolveDots(decodeUnreserved(cutParameters(escapeOdd(path.replaceAll("\\", "/")))));
  }
  if (rules.mergeSlashes) path = path.replace(SLASHES, "/");

  const result = path + query;
  if (result === raw) return SAME;
  return redirect ? { kind: "redirect", path: result } : { kind: "path", path: result };
}

/** What no path may hold as it is. */
function escapeOdd(path: string): string {
  return path.replace(/["<>^`{|}]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `..;x` is a dot segment to some servers, so it is one here; written in escapes it is none, as with Envoy. */
function cutParameters(path: string): string {
  return path.includes(";") ? path.replace(/(\/\.\.?);[^/]*/g, "$1") : path;
}

/** Decodes escapes of unreserved characters; every other escape, a broken one too, stays as it is. */
function decodeUnreserved(path: string): string {
  if (!path.includes("%")) return path;
  return path.replace(/%([0-9a-fA-F]{2})/g, (escape, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escape;
  });
}

/** Removes `.` and `..` segments (RFC 3986 section 5.2.4); empty segments count as segments. */
function resolveDots(path: string): string {
  if (!path.includes("/.")) return path;
  const output: string[] = [];
  const segments = path.split("/");
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] as string;
    if (segment === ".") {
      if (i === last) output.push("");
    } else if (segment === "..") {
      output.pop();
      if (i === last) output.push("");
    } else output.push(segment);
  }
  return "/" + output.join("/");
}
