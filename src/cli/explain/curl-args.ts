// Reads a request as curl would write it. Options of curl that say nothing about the request (-s, -v, --max-time …) are taken and left;
// what would change the request in a way explain cannot follow is refused by name. Behaviour: curl(1).
import { err, ok, type Result } from "../../kit/index.ts";

export interface CurlRequest {
  readonly method: string;
  /** `http`, `https`, or `tcp` (an own scheme: a plain connection to host:port). */
  readonly scheme: "http" | "https" | "tcp";
  /** From the URL, lower case, without port. */
  readonly host: string;
  readonly port: number;
  /** The Host header: that of -H, else host and port as the URL writes them. */
  readonly authority: string;
  /** Path and query, dot segments resolved as curl does. */
  readonly path: string;
  /** In order, names in lower case, without host. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const FLAGS = new Set(
  "-s --silent -S --show-error -v --verbose -i --include -L --location -k --insecure -N --no-buffer -g --globoff -q --compressed --http1.1 -0 --http1.0 --http2 --http2-prior-knowledge -4 --ipv4 -6 --ipv6 -j -n -O --fail-with-body --no-progress-meter -# --progress-bar --tcp-nodelay --raw --fail".split(
    " ",
  ),
);
const WITH_VALUE = new Set(
  "-m --max-time --connect-timeout -w --write-out --retry --retry-delay --retry-max-time --cacert --cert -E --key --resolve --connect-to --interface -x --proxy --noproxy -c --cookie-jar --limit-rate --output -D --dump-header --stderr --keepalive-time --trace --trace-ascii".split(
    " ",
  ),
);
const DATA = new Set(["-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode"]);
const SHORT_WITH_VALUE = "HXdAbeumwExcDFToKtYyCzPQ";

interface Draft {
  method: string | undefined;
  url: string | undefined;
  head: boolean;
  get: boolean;
  pathAsIs: boolean;
  readonly data: string[];
  readonly headers: [string, string][];
  readonly defaults: Map<string, string>;
}

export function parseCurlArgs(args: readonly string[]): Result<CurlRequest> {
  const draft: Draft = {
    method: undefined,
    url: undefined,
    head: false,
    get: false,
    pathAsIs: false,
    data: [],
    headers: [],
    defaults: new Map(),
  };
  const rest = splitArgs(args[0] === "curl" ? args.slice(1) : args);
  while (rest.length > 0) {
    const problem = takeArg(rest.shift() ?? "", rest, draft);
    if (problem !== undefined) return err(problem);
  }
  return draft.url === undefined ? err("there is no URL") : toRequest(draft, draft.url);
}

/** `-sS` → `-s -S`, `-XPOST` → `-X POST`, `--header=x` → `--header x`. */
function splitArgs(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    const long = /^(--[a-z0-9-]+)=(.*)$/s.exec(arg);
    if (long !== null) return [long[1] ?? "", long[2] ?? ""];
    if (!/^-[A-Za-z0-9#]./.test(arg)) return [arg];
    const parts: string[] = [];
    for (let i = 1; i < arg.length; i++) {
      parts.push(`-${arg[i]}`);
      if (!SHORT_WITH_VALUE.includes(arg[i] ?? "")) continue;
      if (i + 1 < arg.length) parts.push(arg.slice(i + 1));
      break;
    }
    return parts;
  });
}

function takeArg(arg: string, rest: string[], draft: Draft): string | undefined {
  if (!arg.startsWith("-") || arg === "-") {
    if (draft.url !== undefined) return `two URLs: ${draft.url} and ${arg}`;
    draft.url = arg;
    return undefined;
  }
  if (FLAGS.has(arg)) return undefined;
  if (arg === "-I" || arg === "--head") draft.head = true;
  else if (arg === "-G" || arg === "--get") draft.get = true;
  else if (arg === "--path-as-is") draft.pathAsIs = true;
  else return takeValue(arg, rest.shift(), draft);
  return undefined;
}

function takeValue(arg: string, value: string | undefined, draft: Draft): string | undefined {
  const known =
    WITH_VALUE.has(arg) ||
    DATA.has(arg) ||
    [
      "-H",
      "--header",
      "-X",
      "--request",
      "-A",
      "--user-agent",
      "-b",
      "--cookie",
      "-e",
      "--referer",
      "-u",
      "--user",
      "--json",
      "--url",
    ].includes(arg);
  if (!known) return `explain does not know curl's option ${arg}`;
  if (value === undefined) return `${arg} needs a value`;
  if (WITH_VALUE.has(arg)) return undefined;
  if (DATA.has(arg)) draft.data.push(value);
  else if (arg === "-X" || arg === "--request") draft.method = value;
  else if (arg === "-A" || arg === "--user-agent") draft.defaults.set("user-agent", value);
  else if (arg === "-b" || arg === "--cookie") draft.headers.push(["cookie", value]);
  else if (arg === "-e" || arg === "--referer") draft.headers.push(["referer", value]);
  else if (arg === "-u" || arg === "--user") draft.headers.push(["authorization", `Basic ${Buffer.from(value).toString("base64")}`]);
  else if (arg === "--url") return takeArg(value, [], draft);
  else if (arg === "--json") {
    draft.data.push(value);
    draft.defaults.set("content-type", "application/json").set("accept", "application/json");
  } else return takeHeader(value, draft);
  return undefined;
}

/** `name: value`; `name;` is an empty value; `name:` takes one of curl's own headers away. */
function takeHeader(line: string, draft: Draft): string | undefined {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?::[ \t]*(.*?)|(;))[ \t]*$/s.exec(line);
  if (match === null) return `"${line}" is not a header: NAME: VALUE`;
  const name = (match[1] ?? "").toLowerCase();
  const value = match[3] === undefined ? (match[2] ?? "") : "";
  if (/[\r\n\0]/.test(value)) return `the value of header ${name} has a line break in it`;
  if (match[3] === undefined && value === "") draft.defaults.set(name, "");
  else draft.headers.push([name, value]);
  return undefined;
}

function toRequest(draft: Draft, url: string): Result<CurlRequest> {
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?(?:[^/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[^/?#:]+)(?::(\d{1,5}))?([/?][^#]*)?(?:#.*)?$/.exec(
    url,
  );
  if (match === null) return err(`"${url}" is not a URL`);
  const [, writtenScheme = "http", host = "", port, target = "/"] = match;
  const scheme = writtenScheme.toLowerCase();
  if (scheme !== "http" && scheme !== "https" && scheme !== "tcp") return err(`explain knows http, https and tcp URLs, not ${scheme}`);
  if (scheme === "tcp" && port === undefined) return err("a tcp URL needs a port: tcp://HOST:PORT");
  const number = port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
  if (number < 1 || number > 65_535) return err(`${number} is not a port`);
  let path = target.startsWith("?") ? `/${target}` : target;
  if (!draft.pathAsIs) path = removeDotSegments(path);
  if (draft.get && draft.data.length > 0) path += `${path.includes("?") ? "&" : "?"}${draft.data.join("&")}`;
  const body = draft.data.length > 0 && !draft.get ? draft.data.join("&") : undefined;
  const method = draft.method ?? (draft.head ? "HEAD" : body === undefined ? "GET" : "POST");
  const isDefault = (scheme === "http" && number === 80) || (scheme === "https" && number === 443);
  const authority = draft.headers.find(([name]) => name === "host")?.[1] ?? (port === undefined || isDefault ? host : `${host}:${number}`);
  return ok({ method, scheme, host: host.toLowerCase(), port: number, authority, path, headers: headersOf(draft, body) });
}

/** The user's headers, and those curl sends by itself unless they were given or taken away. */
function headersOf(draft: Draft, body: string | undefined): [string, string][] {
  const own = new Map([["user-agent", "curl/8"], ["accept", "*/*"], ...(body === undefined ? [] : bodyHeaders(body)), ...draft.defaults]);
  const given = new Set(draft.headers.map(([name]) => name));
  const defaults = [...own].filter(([name, value]) => value !== "" && !given.has(name));
  return [...defaults, ...draft.headers.filter(([name]) => name !== "host")];
}

function bodyHeaders(body: string): [string, string][] {
  return [
    ["content-length", String(Buffer.byteLength(body))],
    ["content-type", "application/x-www-form-urlencoded"],
  ];
}

/** RFC 3986 5.2.4 on the path, as curl does before it sends; the query stays. */
function removeDotSegments(target: string): string {
  const at = target.indexOf("?");
  const path = at === -1 ? target : target.slice(0, at);
  const out: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment === ".." || segment === ".") {
      if (segment === "..") out.pop();
      if (last) out.push("");
    } else out.push(segment);
  }
  return `/${out.join("/")}${at === -1 ? "" : target.slice(at)}`;
}
