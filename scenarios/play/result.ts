// Shapes of a result: what the caller saw, and in `seen` what the upstream saw, without headers that carry no meaning here.
import type { Call } from "./case.ts";

export type Pair = readonly [name: string, value: string];

export interface Seen {
  method?: string;
  path?: string;
  authority?: string;
  headers?: string[];
  tls?: unknown;
  proto?: string;
  body?: unknown;
  [key: string]: unknown;
}

export interface CallResult {
  status?: number;
  response?: string[];
  attempts?: number;
  server?: number;
  seen?: Seen;
  body?: string;
  error?: string;
  counts?: Record<string, number>;
  same?: boolean;
  slow?: boolean;
  [key: string]: unknown;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
const NOISE_REQUEST =
  words(`x-request-id user-agent accept x-envoy-decorator-operation x-envoy-attempt-count x-forwarded-proto x-echo connection
  content-length transfer-encoding host x-envoy-expected-rq-timeout-ms x-b3-traceid x-b3-spanid x-b3-sampled x-b3-parentspanid traceparent tracestate
  x-envoy-peer-metadata x-envoy-peer-metadata-id x-forwarded-for x-envoy-internal x-envoy-external-address x-forwarded-client-cert accept-encoding te`);
const NOISE_RESPONSE =
  words(`date server x-envoy-upstream-service-time content-length transfer-encoding connection keep-alive x-server x-seen x-attempts
  x-envoy-decorator-operation content-type x-envoy-peer-metadata x-envoy-peer-metadata-id x-request-id`);

// Certificates are new in every run, so their digests and texts are left out.
function steady(name: string, value: string): string {
  if (name !== "x-forwarded-client-cert") return value;
  return value
    .replace(/Hash=[0-9a-f]{64}/g, "Hash=*")
    .replace(/Cert="[^"]*"/g, "Cert=*")
    .replace(/Chain="[^"]*"/g, "Chain=*");
}

function lines(pairs: readonly Pair[], noise: ReadonlySet<string>, call: Call): string[] {
  const mask = call.mask === undefined ? undefined : new RegExp(call.mask, "g");
  return pairs
    .filter(([name]) => !noise.has(name) || call.keep?.includes(name) === true)
    .map(([name, value]) => `${name}: ${steady(name, value)}`)
    .map((line) => (mask === undefined ? line : line.replace(mask, "*")))
    .sort();
}

interface Report {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly Pair[];
  readonly tls?: unknown;
  readonly proto: string;
  readonly body?: unknown;
}

// What the upstream reports: in x-seen (gRPC) or in the body.
function reported(first: (name: string) => string | undefined, body: string): Report | undefined {
  try {
    const seen = first("x-seen");
    if (seen !== undefined) return JSON.parse(Buffer.from(seen, "base64").toString()) as Report;
    if (first("x-server") === undefined) return undefined;
    const value = JSON.parse(body) as Report | null;
    return Array.isArray(value?.headers) ? (value ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

function seenBy(report: Report, call: Call): Seen {
  const seen: Seen = { method: report.method, path: report.path, authority: report.authority };
  const headers = lines(report.headers, NOISE_REQUEST, call);
  if (headers.length > 0) seen.headers = headers;
  if (report.tls) seen.tls = report.tls;
  if (call.proto === "h2c" || call.showProto === true) seen.proto = report.proto;
  if (report.body) seen.body = report.body;
  return seen;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: readonly Pair[];
  readonly body: string;
  readonly trailers?: Readonly<Record<string, unknown>>;
}

export function httpResult(call: Call, answer: Answer): CallResult {
  const first = (name: string): string | undefined => answer.headers.find(([k]) => k === name)?.[1];
  const result: CallResult = { status: answer.status };
  const response = lines(answer.headers, NOISE_RESPONSE, call);
  if (response.length > 0) result.response = response;
  if (first("x-attempts") !== undefined) result.attempts = Number(first("x-attempts"));
  if (first("x-server") !== undefined) result.server = Number(first("x-server"));
  const report = reported(first, answer.body);
  if (report !== undefined) result.seen = seenBy(report, call);
  else if (answer.body !== "" && first("x-server") === undefined) result.body = answer.body.slice(0, 200);
  if (answer.trailers !== undefined && Object.keys(answer.trailers).length > 0) result["trailers"] = answer.trailers;
  if (first("grpc-status") !== undefined && answer.trailers === undefined) result["grpc"] = first("grpc-status");
  return result;
}

/** A TCP connection: the upstream's port from its first line, then what came back. */
export function tcpResult(text: string): CallResult {
  const [first = "", ...rest] = text.split("\n");
  const isPort = /^\d+$/.test(first);
  const result: CallResult = isPort ? { server: Number(first) } : { first: first.trim().slice(0, 120) };
  const echo = isPort ? rest.join("\n") : "";
  if (echo !== "") result["echo"] = echo.slice(0, 120);
  return result;
}
