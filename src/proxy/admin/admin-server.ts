// The admin endpoint, on loopback: paths and texts of Envoy's (https://www.envoyproxy.io/docs/envoy/latest/operations/admin).
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { SerinError } from "../../kit/index.ts";
import type { Stats } from "../observe/stats.ts";
import { renderJson, renderPrometheus, renderText } from "./render-stats.ts";

export interface AdminBackend {
  readonly stats: Stats;
  /** LIVE, PRE_INITIALIZING, INITIALIZING or DRAINING. */
  state(): string;
  clusters(): string;
  listeners(): string;
  configDump(options: { readonly endpoints: boolean }): unknown;
  serverInfo(): unknown;
  drain(): void;
  quit(): void;
}

export interface AdminServer {
  readonly port: number;
  stop(): void;
}

interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

type Handler = (query: URLSearchParams) => Reply;

const json = (value: unknown): Reply => ({ type: "application/json", body: `${JSON.stringify(value, null, 1)}\n` });

function filterOf(query: URLSearchParams): RegExp | undefined {
  const text = query.get("filter");
  return text === null ? undefined : new RegExp(text);
}

function statsReply(stats: Stats, query: URLSearchParams): Reply {
  const filter = filterOf(query);
  switch (query.get("format")) {
    case "json":
      return { type: "application/json", body: renderJson(stats, filter) };
    case "prometheus":
      return { body: renderPrometheus(stats) };
    default:
      return { body: renderText(stats, filter) };
  }
}

function routes(backend: AdminBackend): Readonly<Record<string, Handler>> {
  return {
    "GET /": () => ({
      body: "/ready\n/stats\n/stats/prometheus\n/clusters\n/listeners\n/config_dump\n/server_info\n/memory\nPOST /drain\nPOST /quitquitquit\n",
    }),
    "GET /ready": () => ({ status: backend.state() === "LIVE" ? 200 : 503, body: `${backend.state()}\n` }),
    "GET /stats": (query) => statsReply(backend.stats, query),
    "GET /stats/prometheus": () => ({ body: renderPrometheus(backend.stats) }),
    "GET /clusters": () => ({ body: backend.clusters() }),
    "GET /listeners": () => ({ body: backend.listeners() }),
    "GET /config_dump": (query) => json(backend.configDump({ endpoints: query.has("include_eds") })),
    "GET /server_info": () => json(backend.serverInfo()),
    "GET /memory": () => json(process.memoryUsage()),
    "POST /drain": () => {
      backend.drain();
      return { body: "OK\n" };
    },
    "POST /drain_listeners": () => {
      backend.drain();
      return { body: "OK\n" };
    },
    "POST /quitquitquit": () => {
      backend.quit();
      return { body: "OK\n" };
    },
  };
}

/** Names this endpoint goes by; anything else is a page of another site asking through somebody's browser. */
function isOwnHost(request: IncomingMessage, port: number): boolean {
  const host = request.headers.host ?? "";
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`].includes(host);
}

function answer(request: IncomingMessage, response: ServerResponse, handlers: Readonly<Record<string, Handler>>): void {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1));
  const key = `${request.method} ${path}`;
  const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined;
  let reply: Reply;
  try {
    reply = handler?.(query) ?? { status: 404, body: `no such admin path: ${request.method} ${path}; see /\n` };
  } catch (error) {
    reply = { status: 400, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
  response.writeHead(reply.status ?? 200, {
    "content-type": reply.type ?? "text/plain; charset=UTF-8",
    "cache-control": "no-cache, max-age=0",
    "x-content-type-options": "nosniff",
  });
  response.end(reply.body);
}

export function startAdminServer(address: { host: string; port: number }, backend: AdminBackend): Promise<AdminServer> {
  const handlers = routes(backend);
  let port = address.port;
  const server = http.createServer((request, response) => {
    request.resume();
    if (!isOwnHost(request, port)) {
      response.writeHead(403).end("this Host is not mine\n");
      return;
    }
    answer(request, response, handlers);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new SerinError("ADMIN_LISTEN_FAILED", `the admin endpoint cannot listen on ${address.host}:${address.port}: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(address.port, address.host, () => {
      const bound = server.address();
      if (bound !== null && typeof bound === "object") port = bound.port;
      resolve({
        port,
        stop() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
