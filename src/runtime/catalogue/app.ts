// What the stand-ins share: who answers, HTML or JSON as the caller asks, and headers that say which version it was.
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Identity {
  readonly app: string;
  readonly version: string;
  readonly pod: string;
  readonly namespace: string;
}

export interface AppRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly identity: Identity;
  readonly remoteAddress: string;
}

export interface AppResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent instead of the JSON to callers that do not ask for JSON. */
  readonly html?: string;
  readonly text?: string;
}

export type App = (request: AppRequest) => AppResponse | Promise<AppResponse>;

const MAX_BODY = 1024 * 1024;

export function identityFrom(env: Readonly<Record<string, string | undefined>>): Identity {
  return {
    app: env["SERIN_APP"] ?? "",
    version: env["SERIN_POD_VERSION"] ?? "",
    pod: env["SERIN_POD_NAME"] ?? env["HOSTNAME"] ?? "",
    namespace: env["SERIN_POD_NAMESPACE"] ?? "",
  };
}

export function answerWith(app: App, identity: Identity, io: { request: IncomingMessage; response: ServerResponse }): void {
  const { request, response } = io;
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_BODY) chunks.push(chunk);
  });
  request.on("error", () => response.destroy());
  request.on("end", () => {
    const url = request.url ?? "/";
    const at = url.indexOf("?");
    const query = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
    const asked: AppRequest = {
      method: request.method ?? "GET",
      path: at === -1 ? url : url.slice(0, at),
      query,
      headers: request.headers,
      body: size > MAX_BODY ? "" : Buffer.concat(chunks).toString("utf8"),
      identity,
      remoteAddress: request.socket.remoteAddress ?? "",
    };
    if (size > MAX_BODY) return send(response, { status: 413, text: "the body is too large\n" }, asked);
    Promise.resolve()
      .then(() => app(asked))
      .catch((error: unknown) => ({ status: 500, text: `${String(error)}\n` }))
      .then((answer) => send(response, answer, asked))
      .catch(() => response.destroy());
  });
}

export function wantsJson(request: Pick<AppRequest, "headers" | "query">): boolean {
  return request.query.get("format") === "json" || (request.headers.accept ?? "").includes("application/json");
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function send(response: ServerResponse, answer: AppResponse, request: AppRequest): void {
  const [type, body] = bodyOf(answer, request);
  response.writeHead(answer.status ?? 200, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "x-serin-version": request.identity.version,
    "x-serin-pod": request.identity.pod,
    ...answer.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function bodyOf(answer: AppResponse, request: AppRequest): [type: string, body: string] {
  if (answer.html !== undefined && (answer.json === undefined || !wantsJson(request))) return ["text/html; charset=utf-8", answer.html];
  if (answer.json !== undefined) return ["application/json", `${JSON.stringify(answer.json, null, 2)}\n`];
  return ["text/plain; charset=utf-8", answer.text ?? ""];
}
