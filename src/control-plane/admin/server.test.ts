// Who may ask the admin API, and how: each row is one request and the answer it must get.
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAdminClient } from "../../admin-api/index.ts";
import { silentLogger, systemClock } from "../../kit/index.ts";
import { openStore, type Store } from "../store/store.ts";
import type { AdminBackend } from "./backend.ts";
import { adminRoutes } from "./routes.ts";
import { type AdminServer, startAdminServer } from "./server.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
let store: Store;
let server: AdminServer;
let port: number;

beforeAll(async () => {
  store = openStore({ file: ":memory:", clock: systemClock, history: 8 });
  const unused = (): never => {
    throw new Error("not part of this test");
  };
  const backend: AdminBackend = {
    store,
    ready: () => true,
    status: () => ({
      version: "t",
      revision: 0,
      startedAt: "",
      ready: true,
      xds: "",
      proxies: 0,
      resources: {},
      issues: { errors: 0, warnings: 0 },
    }),
    metrics: () => Promise.resolve({ text: "m 1\n", contentType: "text/plain" }),
    apply: (body) => ({ revision: body.documents.length, results: [], issues: [] }),
    remove: () => ({ revision: 1, results: [], issues: [] }),
    pods: () => ({ pods: [] }),
    putPods() {},
    issues: unused,
    proxies: () => [],
    proxyConfig: unused,
    live: unused,
  };
  server = await startAdminServer({
    host: "127.0.0.1",
    port: 0,
    token: TOKEN,
    routes: adminRoutes(backend, systemClock),
    logger: silentLogger,
  });
  port = Number(server.address.split(":")[1]);
});
afterAll(async () => {
  await server.stop();
  store.close();
});

interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

function ask({
  method = "GET",
  path = "/api/v1/status",
  headers = {},
  body,
}: Ask): Promise<{ status: number; code: string | undefined; headers: Readonly<Record<string, unknown>> }> {
  const all = { host: `127.0.0.1:${port}`, authorization: `Bearer ${TOKEN}`, ...headers };
  const sent = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, method, path, headers: sent, setHost: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.on("end", () => {
        let code: string | undefined;
        try {
          code = (JSON.parse(text) as { error?: { code: string } }).error?.code;
        } catch {
          code = undefined;
        }
        resolve({ status: response.statusCode ?? 0, code, headers: response.headers });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

const JSON_TYPE = { "content-type": "application/json" };
const APPLY = { method: "POST", path: "/api/v1/apply", body: '{"documents":[]}' };

describe("who may ask", () => {
  test.each<[string, Ask, number, string | undefined]>([
    ["with the token", {}, 200, undefined],
    ["as localhost", { headers: { host: "localhost:PORT" } }, 200, undefined],
    ["as [::1]", { headers: { host: "[::1]:PORT" } }, 200, undefined],
    ["no token", { headers: { authorization: undefined } }, 401, "ADMIN_TOKEN_WRONG"],
    ["wrong token", { headers: { authorization: "Bearer x" } }, 401, "ADMIN_TOKEN_WRONG"],
    ["token as Basic", { headers: { authorization: `Basic ${TOKEN}` } }, 401, "ADMIN_TOKEN_WRONG"],
    ["a prefix of the token", { headers: { authorization: `Bearer ${TOKEN.slice(0, -1)}` } }, 401, "ADMIN_TOKEN_WRONG"],
    ["token in the query", { path: `/api/v1/status?token=${TOKEN}`, headers: { authorization: undefined } }, 401, "ADMIN_TOKEN_WRONG"],
    ["rebound Host", { headers: { host: "evil.example:PORT" } }, 403, "ADMIN_HOST_REFUSED"],
    ["Host without port", { headers: { host: "127.0.0.1" } }, 403, "ADMIN_HOST_REFUSED"],
    ["Host of another port", { headers: { host: "127.0.0.1:1" } }, 403, "ADMIN_HOST_REFUSED"],
    ["Host that ends like ours", { headers: { host: "localhost.evil.example:PORT" } }, 403, "ADMIN_HOST_REFUSED"],
    ["Host with a user", { headers: { host: "x@127.0.0.1:PORT" } }, 403, "ADMIN_HOST_REFUSED"],
    ["other origin", { headers: { origin: "http://evil.example" } }, 403, "ADMIN_ORIGIN_REFUSED"],
    ["origin null", { headers: { origin: "null" } }, 403, "ADMIN_ORIGIN_REFUSED"],
    ["origin of another port", { headers: { origin: "http://127.0.0.1:1" } }, 403, "ADMIN_ORIGIN_REFUSED"],
    ["own origin", { headers: { origin: "http://127.0.0.1:PORT" } }, 200, undefined],
    ["unknown path without token", { path: "/nope", headers: { authorization: undefined } }, 401, "ADMIN_TOKEN_WRONG"],
    ["unknown path", { path: "/nope" }, 404, "ADMIN_NOT_FOUND"],
    ["path with ..", { path: "/api/v1/../v1/status" }, 404, "ADMIN_NOT_FOUND"],
    ["path with %2e", { path: "/api/v1/%2e%2e/status" }, 404, "ADMIN_NOT_FOUND"],
    ["wrong method", { method: "POST", headers: JSON_TYPE, body: "{}" }, 405, "ADMIN_METHOD_REFUSED"],
    [
      "CORS preflight",
      { method: "OPTIONS", path: "/api/v1/apply", headers: { origin: "http://evil.example" } },
      403,
      "ADMIN_ORIGIN_REFUSED",
    ],
    ["JSON apply", { ...APPLY, headers: JSON_TYPE }, 200, undefined],
    ["JSON apply with charset", { ...APPLY, headers: { "content-type": "application/json; charset=utf-8" } }, 200, undefined],
    ["apply without token", { ...APPLY, headers: { ...JSON_TYPE, authorization: undefined } }, 401, "ADMIN_TOKEN_WRONG"],
    ["apply as text/plain", { ...APPLY, headers: { "content-type": "text/plain" } }, 415, "ADMIN_NOT_JSON"],
    ["apply as a form", { ...APPLY, headers: { "content-type": "application/x-www-form-urlencoded" } }, 415, "ADMIN_NOT_JSON"],
    ["apply without type", APPLY, 415, "ADMIN_NOT_JSON"],
    ["apply from another origin", { ...APPLY, headers: { ...JSON_TYPE, origin: "http://evil.example" } }, 403, "ADMIN_ORIGIN_REFUSED"],
    ["body that is no JSON", { ...APPLY, headers: JSON_TYPE, body: "{" }, 400, "ADMIN_BAD_REQUEST"],
    ["body of another shape", { ...APPLY, headers: JSON_TYPE, body: '{"documents":[{"file":1}]}' }, 400, "ADMIN_BAD_REQUEST"],
    ["body of 17 MiB", { ...APPLY, headers: JSON_TYPE, body: `"${"x".repeat(17 * 1024 * 1024)}"` }, 413, "ADMIN_BODY_TOO_LARGE"],
    ["said body of 17 MiB", { ...APPLY, headers: { ...JSON_TYPE, "content-length": "17825792" }, body: "" }, 413, "ADMIN_BODY_TOO_LARGE"],
    [
      "pods with a port that is none",
      {
        method: "PUT",
        path: "/api/v1/pods",
        headers: JSON_TYPE,
        body: '{"pods":[{"name":"a","namespace":"b","status":{"podIP":"1.1.1.1","ready":true,"ports":[{"containerPort":99999}]}}]}',
      },
      400,
      "ADMIN_BAD_REQUEST",
    ],
    ["ready without token or Host", { path: "/ready", headers: { authorization: undefined, host: "10.0.0.1:15000" } }, 200, undefined],
    ["metrics without token", { path: "/metrics", headers: { authorization: undefined } }, 200, undefined],
    [
      "metrics for another Host",
      { path: "/metrics", headers: { authorization: undefined, host: "evil.example" } },
      403,
      "ADMIN_HOST_REFUSED",
    ],
    ["watch of a version that is not there", { path: "/api/v1/watch?since=99" }, 410, "STORE_COMPACTED"],
    ["watch of no number", { path: "/api/v1/watch?since=-1" }, 400, "ADMIN_BAD_REQUEST"],
  ])("%s", async (_name, asked, status, code) => {
    const headers = Object.fromEntries(
      Object.entries(asked.headers ?? {}).map(([name, value]) => [name, value?.replace("PORT", String(port))]),
    );
    const answer = await ask({ ...asked, headers });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test("it does not listen where others can reach it", async () => {
    const start = startAdminServer({ host: "0.0.0.0", port: 0, token: TOKEN, routes: [], logger: silentLogger });
    await expect(start).rejects.toMatchObject({ code: "ADMIN_NOT_LOOPBACK" });
  });

  test("a taken port is said", async () => {
    const start = startAdminServer({ host: "127.0.0.1", port, token: TOKEN, routes: [], logger: silentLogger });
    await expect(start).rejects.toMatchObject({ code: "ADMIN_LISTEN_FAILED" });
  });
});

describe("the client", () => {
  const client = () => createAdminClient({ url: `http://${server.address}`, token: TOKEN });
  const put = (name: string) =>
    store.write(
      [{ op: "put", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, body: { data: {} } } }],
      "api",
    );

  test("reads, misses and is refused", async () => {
    put("one");
    const key = { kind: "ConfigMap", namespace: "default", name: "one" };
    expect((await client().get(key))?.metadata.name).toBe("one");
    expect(await client().get({ ...key, name: "none" })).toBeUndefined();
    expect(await client().ready()).toBe(true);
    const wrong = createAdminClient({ url: `http://${server.address}`, token: "wrong" });
    await expect(wrong.status()).rejects.toMatchObject({ code: "ADMIN_TOKEN_WRONG" });
    const nobody = createAdminClient({ url: "http://127.0.0.1:1", token: TOKEN });
    await expect(nobody.status()).rejects.toMatchObject({ code: "ADMIN_UNREACHABLE" });
    expect(await nobody.ready()).toBe(false);
  });

  test("watch: from a version on, one kind, in order", async () => {
    const since = String(store.revision());
    const stop = new AbortController();
    const seen: string[] = [];
    put("two");
    for await (const event of client().watch({ since, kind: "ConfigMap", signal: stop.signal })) {
      if (event.object === undefined) continue;
      seen.push(`${event.type} ${event.object.metadata.name}`);
      if (seen.length === 1) put("three");
      if (seen.length === 2) break;
    }
    stop.abort();
    expect(seen).toEqual(["ADDED two", "ADDED three"]);
  });
});
