// Redirects and direct responses: https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto (RedirectAction, DirectResponseAction)
import type { DirectResponseAction, PathMatcher, RedirectAction } from "../config/index.ts";
import type { Exchange } from "./exchange.ts";
import { sendLocal } from "./respond.ts";
import { replacePrefix } from "./rewrite.ts";

function splitPort(authority: string): { host: string; port: string } {
  const match = /^(.*?)(?::(\d*))?$/.exec(authority);
  if (authority.startsWith("[")) {
    const end = authority.indexOf("]");
    return { host: authority.slice(0, end + 1), port: authority.slice(end + 1).replace(":", "") };
  }
  return { host: match?.[1] ?? authority, port: match?.[2] ?? "" };
}

function sendRedirect(exchange: Exchange, status: number, location: string): void {
  sendLocal(exchange, { status, body: "", details: "direct_response", flags: 0, headers: `location: ${location}\r\n`, close: false });
}

export function redirect(exchange: Exchange, action: RedirectAction, matcher: PathMatcher): void {
  const { head } = exchange;
  const scheme = action.scheme ?? (action.httpsRedirect ? "https" : head.scheme);
  const given = splitPort(exchange.authority);
  const authority = action.host ?? hostWithPort(given, { from: head.scheme, to: scheme, override: action.port !== undefined });
  const port = action.port === undefined ? "" : `:${action.port}`;
  const path = targetPath(exchange, action, matcher);
  sendRedirect(exchange, action.status, `${scheme}://${authority}${port}${path.startsWith("/") ? "" : "/"}${path}`);
}

/** The port in Host stays, but for the old scheme's default one when the scheme changes. */
function hostWithPort(given: { host: string; port: string }, change: { from: string; to: string; override: boolean }): string {
  if (change.override || given.port === "") return given.host;
  const isOldDefault = (change.from === "http" && given.port === "80") || (change.from === "https" && given.port === "443");
  return isOldDefault && change.from !== change.to ? given.host : `${given.host}:${given.port}`;
}

function targetPath(exchange: Exchange, action: RedirectAction, matcher: PathMatcher): string {
  const question = exchange.path.indexOf("?");
  const path = question < 0 ? exchange.path : exchange.path.slice(0, question);
  const query = question < 0 || action.stripQuery ? "" : exchange.path.slice(question);
  if (action.path !== undefined) return action.path.includes("?") ? action.path : action.path + query;
  if (action.prefixRewrite !== undefined) return replacePrefix(matcher, path, action.prefixRewrite) + query;
  if (action.regexRewrite !== undefined) return action.regexRewrite.substitute(path) + query;
  return path + query;
}

/** A virtual host that asks for TLS sends plain-text callers to the same place over https. */
export function redirectToHttps(exchange: Exchange): void {
  sendRedirect(exchange, 301, `https://${exchange.authority}${exchange.path}`);
}

export function redirectToPath(exchange: Exchange, path: string): void {
  sendRedirect(exchange, 307, path);
}

export function directResponse(exchange: Exchange, action: DirectResponseAction, body: string): void {
  const headers =
    action.status === 201 || (action.status >= 300 && action.status < 400)
      ? `location: ${exchange.head.scheme}://${exchange.authority}${exchange.path}\r\n`
      : "";
  sendLocal(exchange, { status: action.status, body, details: "direct_response", flags: 0, headers, close: false });
}
