// The admin endpoint: loopback only, exact Host, changes by POST only. https://www.envoyproxy.io/docs/envoy/latest/operations/admin
import http from "node:http";
import type { AddressInfo } from "node:net";
import { SerinError } from "../../kit/index.ts";
import type { SocketAddress } from "../config/index.ts";

export interface AdminAnswer {
  readonly status?: number;
  readonly type?: "text/plain; charset=UTF-8" | "application/json" | "text/plain; version=0.0.4";
  readonly body: string;
}

export interface AdminRoute {
  readonly method: "GET" | "POST";
  readonly help: string;
  /** Query parameters it understands; others are refused by name. */
  readonly parameters?: readonly string[];
  handle(query: URLSearchParams): AdminAnswer | Promise<AdminAnswer>;
}

export interface AdminServer {
  readonly port: number;
  stop(): void;
}

export function jsonAnswer(value: unknown): AdminAnswer {
  return { type: "application/json", body: `${JSON.stringify(value, null, 1)}\n` };
}

export async function startAdmin(address: SocketAddress, routes: ReadonlyMap<string, AdminRoute>): Promise<AdminServer> {
  const server = http.createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    void answer(request, routes, port).then(({ status = 200, type = "text/plain; charset=UTF-8", body }) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-cache, max-age=0", "x-content-type-options": "nosniff" });
      response.end(request.method === "HEAD" ? undefined : body);
    });
    request.resume();
  });
  let port = address.port;
  await new Promise<void>((done, fail) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      fail(
        new SerinError("PROXY_ADMIN_UNAVAILABLE", `the admin address ${address.host}:${address.port} cannot be opened: ${cause.code}`, {
          cause,
          fix: "Give another port in admin.address, or stop what uses it.",
        }),
      ),
    );
    server.listen(address.port, address.host, () => {
      port = (server.address() as AddressInfo).port;
      done();
    });
  });
  return {
    port,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(request: http.IncomingMessage, routes: ReadonlyMap<string, AdminRoute>, port: number): Promise<AdminAnswer> {
  // A page in a browser that was led to this address by name must get nothing.
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
  if (!hosts.includes(request.headers.host ?? "")) return { status: 403, body: "Host is not this admin address\n" };
  const { origin } = request.headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    return { status: 403, body: "Origin is not this admin address\n" };
  const url = request.url ?? "/";
  const question = url.indexOf("?");
  const path = question < 0 ? url : url.slice(0, question);
  if (path === "/" || path === "/help") return { body: help(routes) };
  const route = routes.get(path);
  if (route === undefined) return { status: 404, body: `no such path\n${help(routes)}` };
  const method = request.method === "HEAD" ? "GET" : request.method;
  // Envoy lets POST stand for GET.
  if (method !== route.method && !(route.method === "GET" && method === "POST"))
    return { status: 405, body: `Method ${request.method} not allowed, use ${route.method}.\n` };
  const query = new URLSearchParams(question < 0 ? "" : url.slice(question + 1));
  for (const name of query.keys()) {
    if (route.parameters?.includes(name) !== true) return { status: 400, body: `parameter ${name} is not supported\n` };
  }
  try {
    return await route.handle(query);
  } catch (error) {
    return { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
}

function help(routes: ReadonlyMap<string, AdminRoute>): string {
  return `admin commands are:\n${[...routes].map(([path, route]) => `  ${path}${route.method === "POST" ? " (POST)" : ""}: ${route.help}\n`).join("")}`;
}
