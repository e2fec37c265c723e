// Header names and values in rules, as istiod accepts them; values are Envoy's format strings
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers).
const TOKEN = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;
const PSEUDO = new Set([":method", ":scheme", ":authority", ":path", ":status"]);
// oxlint-disable-next-line no-control-regex -- these are the bytes that must not be there
const FORBIDDEN_IN_VALUE = /[\u0000-\u0008\u000A-\u001F\u007F]/;

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/** `@request.auth.claims.sub` and `@request.auth.claims[a][b]`: a claim of the caller's token instead of a header. */
export function isClaimName(name: string): boolean {
  const prefix = "@request.auth.claims";
  if (!name.toLowerCase().startsWith(prefix)) return false;
  const rest = name.slice(prefix.length);
  return (rest.startsWith(".") && rest.length > 1) || (rest.startsWith("[") && rest.endsWith("]") && rest.length > 2);
}

/** A name in `headers` and `withoutHeaders` of a match. */
export function matchHeaderProblem(name: string): string | undefined {
  if (name === "") return "a header name must not be empty";
  return isClaimName(name) || PSEUDO.has(name) || isHeaderName(name) ? undefined : `${JSON.stringify(name)} is no header name`;
}

export function isAuthority(name: string): boolean {
  return name.toLowerCase() === ":authority" || name.toLowerCase() === "host";
}

/** A name in request `set` and `add`, where the authority may be changed. */
export function requestHeaderProblem(name: string): string | undefined {
  if (name === "") return "a header name must not be empty";
  if (isAuthority(name)) return undefined;
  if (name.startsWith(":")) return `${JSON.stringify(name)} cannot be changed`;
  return undefined;
}

/** A name in `remove`, and in response operations. */
export function headerOperationProblem(name: string): string | undefined {
  if (name === "") return "a header name must not be empty";
  if (isAuthority(name) || name.startsWith(":")) return `${JSON.stringify(name)} cannot be changed here`;
  return undefined;
}

export function headerValueProblem(value: string): string | undefined {
  if (FORBIDDEN_IN_VALUE.test(value)) return "a header value has no control characters";
  return formatProblem(value);
}

/** Whether each `%` begins a variable that ends: `%VAR%`, `%VAR(args)%`, `%VAR(["a", "b"])%`; `%%` is a percent sign. */
function formatProblem(value: string): string | undefined {
  let at = 0;
  for (;;) {
    at = value.indexOf("%", at);
    if (at === -1) return undefined;
    if (value[at + 1] === "%") {
      at += 2;
      continue;
    }
    if (at + 1 === value.length) return "a single % begins a variable; a percent sign is written %%";
    const end = endOfVariable(value, at + 1);
    if (typeof end === "string") return end;
    at = end;
  }
}

/** Offset after the variable that begins at `start`, or what is wrong with it. */
function endOfVariable(value: string, start: number): number | string {
  const unterminated = `the variable ${JSON.stringify(value.slice(start - 1))} does not end`;
  let at = start;
  while (at < value.length && value[at] !== "%" && value[at] !== "(") at++;
  if (at === value.length) return unterminated;
  if (value[at] === "%") return at + 1;
  at = skipBlanks(value, at + 1);
  // The first character is an argument's, even if it closes.
  const end = value[at] === "[" ? endOfList(value, at + 1) : endOfText(value, at + 1);
  if (typeof end === "string") return end;
  at = skipBlanks(value, end);
  return value[at] === "%" ? at + 1 : at >= value.length ? unterminated : `after ) comes %, in ${JSON.stringify(value)}`;
}

function skipBlanks(value: string, from: number): number {
  let at = from;
  while (value[at] === " ") at++;
  return at;
}

/** Offset after the closing parenthesis of plain arguments. */
function endOfText(value: string, from: number): number | string {
  for (let at = from; at < value.length; at++) {
    if (value[at] === "\\") at++;
    else if (value[at] === ")") return at + 1;
  }
  return `a ( does not end, in ${JSON.stringify(value)}`;
}

/** Offset after the closing parenthesis of a list of quoted arguments. */
function endOfList(value: string, from: number): number | string {
  const wrong = `the arguments in ${JSON.stringify(value)} are no list of quoted texts`;
  let at = from;
  for (;;) {
    at = skipBlanks(value, at);
    if (value[at] !== '"') return wrong;
    for (at++; at < value.length && value[at] !== '"' && value[at] !== ")"; at++) if (value[at] === "\\") at++;
    if (value[at] === ")") return at + 1;
    if (at >= value.length) return wrong;
    at = skipBlanks(value, at + 1);
    if (value[at] === ",") {
      at++;
      continue;
    }
    if (value[at] !== "]") return wrong;
    at = skipBlanks(value, at + 1);
    return value[at] === ")" ? at + 1 : wrong;
  }
}
