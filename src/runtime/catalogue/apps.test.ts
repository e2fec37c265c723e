// The stand-ins behind real sockets: what the examples and e2e tests rely on.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { answerWith, type App } from "./app.ts";
import { APPS } from "./apps.ts";
import { callService } from "./call.ts";

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(app: App | undefined, version = "v1"): Promise<number> {
  if (app === undefined) throw new Error("no such app");
  const identity = { app: "demo4", version, pod: "demo4-x", namespace: "test1" };
  const server = http.createServer((request, response) => answerWith(app, identity, { request, response }));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

test("demo shows version, pod and headers, as page and as JSON; what callers send is escaped", async () => {
  const url = `http://127.0.0.1:${await serve(APPS["demo"], "v2")}/a`;
  const page = await fetch(url, { headers: { "x-evil": "<script>" } });
  const text = await page.text();
  expect(page.headers.get("x-serin-version")).toBe("v2");
  expect(page.headers.get("content-type")).toContain("text/html");
  expect(text).toContain("demo4 v2");
  expect(text).toContain("&#60;script&#62;");
  expect(text).not.toContain("<script>");
  const json = (await (await fetch(`${url}?format=json`)).json()) as { version: string; headers: Record<string, string> };
  expect(json).toMatchObject({ version: "v2", pod: "demo4-x", path: "/a" });
});

/** An HTTP proxy that knows services by name, as a sidecar does, and remembers what passed. */
async function serveProxy(services: Readonly<Record<string, number>>): Promise<{ url: string; seen: http.IncomingHttpHeaders[] }> {
  const seen: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request.headers);
    const url = new URL(request.url ?? "");
    const port = services[url.hostname];
    if (port === undefined) return void response.writeHead(503).end("no healthy upstream");
    http.get({ host: "127.0.0.1", port, path: url.pathname, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

test("Bookinfo: productpage asks details and reviews by the proxy, reviews ask ratings, the user is handed on", async () => {
  const [details, ratings, reviews] = [await serve(APPS["details"]), await serve(APPS["ratings"]), await serve(APPS["reviews-v3"])];
  const proxy = await serveProxy({ details, ratings, reviews });
  const before = process.env["HTTP_PROXY"];
  process.env["HTTP_PROXY"] = proxy.url;
  try {
    const url = `http://127.0.0.1:${await serve(APPS["productpage"])}`;
    const page = await fetch(`${url}/productpage`, { headers: { cookie: "user=jason", "x-request-id": "r1" } });
    expect(await page.text()).toContain("color:#c22");
    expect(proxy.seen.map((headers) => headers.host).sort()).toEqual(["details:9080", "ratings:9080", "reviews:9080"]);
    expect(proxy.seen.map((headers) => [headers["end-user"], headers["x-request-id"]])).toEqual([
      ["jason", "r1"],
      ["jason", "r1"],
      ["jason", "r1"],
    ]);
    const json = (await (await fetch(`${url}/api/v1/products/0/reviews`)).json()) as { reviews: { rating: unknown }[] };
    expect(json.reviews[0]?.rating).toEqual({ stars: 5, color: "red" });
    const login = await fetch(`${url}/login`, { method: "POST", body: new URLSearchParams({ username: "a b;" }), redirect: "manual" });
    expect(login.headers.get("set-cookie")).toContain("user=a%20b%3B;");
  } finally {
    if (before === undefined) delete process.env["HTTP_PROXY"];
    else process.env["HTTP_PROXY"] = before;
  }
});

test("httpbin: echo, status and the limits", async () => {
  const url = `http://127.0.0.1:${await serve(APPS["httpbin"])}`;
  expect(await (await fetch(`${url}/anything?a=1`, { method: "POST", body: "x" })).json()).toMatchObject({
    args: { a: "1" },
    data: "x",
    method: "POST",
  });
  expect((await fetch(`${url}/status/418`)).status).toBe(418);
  expect((await fetch(`${url}/status/99`)).status).toBe(400);
  expect((await fetch(`${url}/bytes/99999999`)).status).toBe(400);
});

test("a call that gets no answer says so", async () => {
  expect(await callService("nowhere:1", "/", { headers: {}, timeoutMs: 1000, proxy: "http://127.0.0.1:1" })).toMatchObject({ status: 0 });
});
