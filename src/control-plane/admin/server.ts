// The HTTP frame of the admin API: who may ask (exact Host, same origin, token), how (method, JSON, size), and errors in one shape.
// What is asked stands in routes.ts. Rules: security-rules.md section 4 as docs/security.md tells it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback, type Logger, SerinError } from "../../kit/index.ts";
import { createTokenCheck } from "./token.ts";

export interface AdminRequest {
  /** The `:names` of the route's path, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined for GET. */
  readonly body: unknown;
  /** Aborted when the caller goes away or the server stops. */
  readonly signal: AbortSignal;
}

export type AdminAnswer =
  | { readonly status: number; readonly json: unknown }
  | { readonly status: number; readonly text: string; readonly contentType: string }
  /** Writes newline-delimited JSON until the signal is aborted. `send` is false when the reader is too slow to be served further. */
  | { readonly stream: (send: (line: unknown) => boolean, end: () => void) => void };

export interface AdminRoute {
  readonly method: "GET" | "POST" | "PUT";
  /** `/api/v1/resources/:kind`: a part with a colon takes any text. */
  readonly path: string;
  /** Answered without token. */
  readonly open?: boolean;
  /** Answered for any Host: for probes only. */
  readonly anyHost?: boolean;
  handle(request: AdminRequest): AdminAnswer | Promise<AdminAnswer>;
}

export interface AdminServer {
  readonly address: string;
  stop(): Promise<void>;
}

const MAX_BODY = 16 * 1024 * 1024;
const MAX_UNSENT = 16 * 1024 * 1024;

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};

/** HTTP status of a SerinError; what is not here is our fault: 500. */
const STATUS: Readonly<Record<string, number>> = {
  ADMIN_BAD_REQUEST: 400,
  ADMIN_TOKEN_WRONG: 401,
  ADMIN_HOST_REFUSED: 403,
  ADMIN_ORIGIN_REFUSED: 403,
  ADMIN_NOT_FOUND: 404,
  RESOURCE_NOT_FOUND: 404,
  PROXY_NOT_FOUND: 404,
  ADMIN_METHOD_REFUSED: 405,
  STORE_CONFLICT: 409,
  RESOURCE_FROM_FILE: 409,
  STORE_COMPACTED: 410,
  ADMIN_BODY_TOO_LARGE: 413,
  ADMIN_NOT_JSON: 415,
  STORE_WRITE_FAILED: 507,
};

export async function startAdminServer(options: {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly routes: readonly AdminRoute[];
  readonly logger: Logger;
}): Promise<AdminServer> {
  if (!isLoopback(options.host)) {
    throw new SerinError("ADMIN_NOT_LOOPBACK", `the admin API does not listen on ${options.host}: it has no TLS yet`, {
      fix: "Use 127.0.0.1 or [::1], and a tunnel to reach it from elsewhere.",
    });
  }
  const isToken = createTokenCheck(options.token);
  const stopping = new AbortController();
  let hosts: readonly string[] = [];

  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    try {
      const url = request.url ?? "/";
      const at = url.indexOf("?");
      const found = findRoute(options.routes, request.method ?? "", at === -1 ? url : url.slice(0, at));
      checkCaller(request, found?.route);
      if (found === undefined) throw new SerinError("ADMIN_NOT_FOUND", `there is no ${request.method} ${url} here`);
      const body = found.route.method === "GET" ? undefined : await readJson(request);
      const query = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
      const signal = AbortSignal.any([gone.signal, stopping.signal]);
      respond(response, await found.route.handle({ params: found.params, query, body, signal }), signal);
    } catch (error) {
      respondError(response, error);
    }
  }

  function checkCaller(request: IncomingMessage, route: AdminRoute | undefined): void {
    // A page of another site that rebinds its name to 127.0.0.1 still sends its own name.
    if (route?.anyHost !== true && !hosts.includes(request.headers.host ?? "")) {
      throw new SerinError("ADMIN_HOST_REFUSED", "the Host header is not the admin address", { fix: `Use http://${hosts[0] ?? ""}.` });
    }
    const { origin } = request.headers;
    if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
      throw new SerinError("ADMIN_ORIGIN_REFUSED", "requests of other origins are refused");
    }
    if (route?.open !== true && !isToken(request.headers.authorization)) {
      throw new SerinError("ADMIN_TOKEN_WRONG", "the admin token is missing or wrong", { fix: "Send `Authorization: Bearer TOKEN`." });
    }
  }

  function respondError(response: ServerResponse, error: unknown): void {
    const known =
      error instanceof SerinError ? error : new SerinError("ADMIN_INTERNAL", "the control plane failed to answer", { cause: error });
    const status = STATUS[known.code] ?? 500;
    if (status === 500)
      options.logger.log("error", "an admin request failed", {
        code: known.code,
        error: String(known.stack),
        cause: String((known.cause as Error | undefined)?.stack ?? ""),
      });
    if (response.headersSent || response.destroyed) return void response.destroy();
    // What is left of a refused body is not read.
    if (status === 413 || status === 415) response.setHeader("connection", "close");
    respond(
      response,
      { status, json: { error: { code: known.code, message: known.message, ...(known.fix === undefined ? {} : { fix: known.fix }) } } },
      stopping.signal,
    );
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new SerinError("ADMIN_LISTEN_FAILED", `the admin API cannot listen on ${options.host}:${options.port}: ${cause.message}`, {
          cause,
          fix: "Give a free --admin HOST:PORT.",
        }),
      ),
    );
    server.listen(options.port, options.host.replace(/^\[|\]$/g, ""), resolve);
  });
  const { port } = server.address() as AddressInfo;
  hosts = [...new Set([`${options.host}:${port}`, `127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`])];

  return {
    address: `${options.host}:${port}`,
    stop() {
      stopping.abort();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function findRoute(routes: readonly AdminRoute[], method: string, path: string): { route: AdminRoute; params: string[] } | undefined {
  let otherMethod = false;
  for (const route of routes) {
    const params = matchPath(route.path, path);
    if (params === undefined) continue;
    if (route.method === method) return { route, params };
    otherMethod = true;
  }
  if (otherMethod) return { route: methodRefused(method), params: [] };
  return undefined;
}

function methodRefused(method: string): AdminRoute {
  return {
    method: "GET",
    path: "",
    handle() {
      throw new SerinError("ADMIN_METHOD_REFUSED", `${method} is not for this path`);
    },
  };
}

function matchPath(pattern: string, path: string): string[] | undefined {
  const want = pattern.split("/");
  const got = path.split("/");
  if (want.length !== got.length) return undefined;
  const params: string[] = [];
  for (const [i, part] of want.entries()) {
    const text = got[i] ?? "";
    if (!part.startsWith(":")) {
      if (part !== text) return undefined;
      continue;
    }
    try {
      params.push(decodeURIComponent(text));
    } catch {
      return undefined;
    }
  }
  return params;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  // Forms and plain text can be sent by any page without asking first; JSON cannot.
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new SerinError("ADMIN_NOT_JSON", "the body must be application/json");
  const tooLarge = () =>
    new SerinError("ADMIN_BODY_TOO_LARGE", `the body has more than ${MAX_BODY} bytes`, { fix: "Apply in several parts." });
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // Not destroyed when we stop reading: the caller shall get its answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (cause) {
    throw new SerinError("ADMIN_BAD_REQUEST", `the body is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function respond(response: ServerResponse, answer: AdminAnswer, signal: AbortSignal): void {
  if (response.destroyed) return;
  if ("stream" in answer) {
    response.writeHead(200, { ...HEADERS, "content-type": "application/x-ndjson" });
    response.flushHeaders();
    signal.addEventListener("abort", () => response.end());
    answer.stream(
      (line) => {
        if (signal.aborted || response.writableLength > MAX_UNSENT) return false;
        response.write(`${JSON.stringify(line)}\n`);
        return true;
      },
      () => response.end(),
    );
    return;
  }
  const [text, type] = "text" in answer ? [answer.text, answer.contentType] : [JSON.stringify(answer.json), "application/json"];
  response.writeHead(answer.status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}
