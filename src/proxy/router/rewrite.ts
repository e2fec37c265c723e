// Path rewrites of a forward action, compiled once: prefix (the matched part) or regex (the path without its query).
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto (prefix_rewrite, regex_rewrite)
import type { ForwardAction, PathMatcher } from "../config/index.ts";

export function compileRewrite(action: ForwardAction, matcher: PathMatcher): ((path: string) => string) | undefined {
  const prefix = action.prefixRewrite;
  if (prefix !== undefined && prefix !== "") return (path) => withoutQuery(path, (bare) => replacePrefix(matcher, bare, prefix));
  const regex = action.regexRewrite;
  if (regex !== undefined) return (path) => withoutQuery(path, regex.substitute);
  return undefined;
}

function withoutQuery(path: string, rewrite: (path: string) => string): string {
  const question = path.indexOf("?");
  return question < 0 ? rewrite(path) : rewrite(path.slice(0, question)) + path.slice(question);
}

/** Replaces what the rule matched: the prefix, or the whole path for exact and regex rules. */
export function replacePrefix(matcher: PathMatcher, path: string, replacement: string): string {
  switch (matcher.kind) {
    case "prefix":
    case "separatedPrefix":
      return replacement + path.slice(matcher.value.length);
    case "exact":
    case "regex":
      return replacement;
    case "connect":
      return path;
  }
}
