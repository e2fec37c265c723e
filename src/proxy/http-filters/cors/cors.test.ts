import { afterEach, describe, expect, test } from "vitest";
import type { HttpConnectionManagerConfig, PerFilter, Route } from "../../config/index.ts";
import { oneRoute } from "../../testing/config.ts";
import { type Answer, call, type Scene, startHttp, startScene } from "../../testing/scene.ts";
import { CORS_FILTER, CORS_POLICY, ROUTER_FILTER } from "../type-urls.ts";
import { mergeCors } from "./cors.ts";
import type { CorsConfig } from "./cors-config.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const NAME = "envoy.filters.http.cors";
const FILTERS: HttpConnectionManagerConfig["filters"] = [
  { name: NAME, typeUrl: CORS_FILTER, config: undefined, disabled: false },
  { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false },
];
const NOTHING: CorsConfig = {
  allowOrigins: [],
  allowMethods: "",
  allowHeaders: "",
  exposeHeaders: "",
  maxAge: "",
  allowCredentials: undefined,
  allowPrivateNetwork: undefined,
  forwardUnmatchedPreflights: undefined,
  enabled: 1,
  shadowed: 0,
};

function perFilter(config: Partial<CorsConfig>): PerFilter {
  return new Map([[NAME, { typeUrl: CORS_POLICY, config: { ...NOTHING, ...config }, disabled: false }]]);
}

async function setUp(route: Partial<Route>, host: { perFilter?: PerFilter } = {}): Promise<Scene> {
  const server = await startHttp((_, response) => response.writeHead(200, { "access-control-allow-origin": "upstream" }).end("fine"));
  const scene = await startScene(oneRoute([server.port], { route, host, manager: { filters: FILTERS } }));
  started.push(scene, server);
  return scene;
}

const A = (origin: string): boolean => origin === "https://a";

function preflight(scene: Scene, headers: Record<string, string>): Promise<Answer> {
  return call(scene.port(), "/", { method: "OPTIONS", headers: { "access-control-request-method": "PUT", ...headers } });
}

describe("CORS", () => {
  test("an allowed origin stands on the answer, over the upstream's own", async () => {
    const scene = await setUp({ perFilter: perFilter({ allowOrigins: [A], exposeHeaders: "x-one", allowCredentials: true }) });
    const allowed = await call(scene.port(), "/", { headers: { origin: "https://a" } });
    expect(allowed.headers).toMatchObject({
      "access-control-allow-origin": "https://a",
      "access-control-expose-headers": "x-one",
      "access-control-allow-credentials": "true",
    });
    const other = await call(scene.port(), "/", { headers: { origin: "https://b" } });
    expect(other.headers["access-control-allow-origin"]).toBe("upstream");
    const counters = new Map([...scene.stats.counters()].map((metric) => [metric.fullName, metric.metric.value]));
    expect([counters.get("http.test.cors.origin_valid"), counters.get("http.test.cors.origin_invalid")]).toEqual([1, 1]);
  });

  test("a preflight is answered here; one of another origin only where it is not forwarded", async () => {
    const policy = { allowOrigins: [A], allowMethods: "*", allowHeaders: "*", maxAge: "60", allowPrivateNetwork: true };
    const scene = await setUp({ perFilter: perFilter(policy) });
    const asks = { origin: "https://a", "access-control-request-headers": "x-q", "access-control-request-private-network": "true" };
    const answer = await preflight(scene, asks);
    expect(answer.body.length).toBe(0);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://a",
      "access-control-allow-methods": "PUT",
      "access-control-allow-headers": "x-q",
      "access-control-max-age": "60",
      "access-control-allow-private-network": "true",
    });
    expect((await preflight(scene, { origin: "https://b" })).body.toString()).toBe("fine");
    const strict = await setUp({ perFilter: perFilter({ ...policy, forwardUnmatchedPreflights: false }) });
    const refused = await preflight(strict, { origin: "https://b" });
    expect([refused.body.length, refused.headers["access-control-allow-origin"]]).toEqual([0, undefined]);
    expect(refused.headers["access-control-allow-methods"]).toBe("PUT");
  });

  test("a redirect is none of its business", async () => {
    const scene = await setUp({
      perFilter: perFilter({ allowOrigins: [A] }),
      action: { kind: "direct", status: 200, body: Buffer.from("hi") },
    });
    expect((await preflight(scene, { origin: "https://a" })).body.toString()).toBe("hi");
  });

  test("a shadowed policy counts and does nothing", async () => {
    const scene = await setUp({ perFilter: perFilter({ allowOrigins: [A], enabled: 0, shadowed: 1 }) });
    const answer = await call(scene.port(), "/", { headers: { origin: "https://a" } });
    expect(answer.headers["access-control-allow-origin"]).toBe("upstream");
    const valid = [...scene.stats.counters()].find((metric) => metric.fullName === "http.test.cors.origin_valid");
    expect(valid?.metric.value).toBe(1);
  });

  test("the virtual host says what the route leaves out", async () => {
    const scene = await setUp(
      { perFilter: perFilter({ exposeHeaders: "x-one" }) },
      { perFilter: perFilter({ allowOrigins: [A], exposeHeaders: "x-two" }) },
    );
    const answer = await call(scene.port(), "/", { headers: { origin: "https://a" } });
    expect(answer.headers).toMatchObject({ "access-control-allow-origin": "https://a", "access-control-expose-headers": "x-one" });
  });
});

test("of each field the most specific level that says something counts; how often is the first level's word", () => {
  const merged = mergeCors([
    { ...NOTHING, allowMethods: "GET", allowCredentials: false, enabled: 0.5 },
    { ...NOTHING, allowOrigins: [A], allowMethods: "PUT", maxAge: "1", allowCredentials: true },
  ]);
  expect(merged).toMatchObject({ allowOrigins: [A], allowMethods: "GET", maxAge: "1", allowCredentials: false, enabled: 0.5 });
  expect(mergeCors([])).toBeUndefined();
});
