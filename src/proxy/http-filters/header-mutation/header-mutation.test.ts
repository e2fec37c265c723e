import { afterEach, describe, expect, test } from "vitest";
import type { AppendAction, HeaderMutation, HttpConnectionManagerConfig, PerFilter, Route } from "../../config/index.ts";
import { oneRoute } from "../../testing/config.ts";
import { call, type Scene, startHttp, startScene } from "../../testing/scene.ts";
import { HEADER_MUTATION_FILTER, HEADER_MUTATION_ROUTE, ROUTER_FILTER } from "../type-urls.ts";
import type { HeaderEdit, HeaderMutationConfig } from "./header-mutation.ts";

const started: { stop(): void }[] = [];
afterEach(() => {
  for (const thing of started.splice(0)) thing.stop();
});

const NAME = "mutate";

function set(name: string, format: string, action: AppendAction = "OVERWRITE_IF_EXISTS_OR_ADD"): HeaderMutation {
  return { name, value: { literal: format.includes("%") ? undefined : format, format }, action, keepEmpty: false };
}

function filter(config: Partial<HeaderMutationConfig>, name = NAME): HttpConnectionManagerConfig["filters"][number] {
  return {
    name,
    typeUrl: HEADER_MUTATION_FILTER,
    config: { request: [], response: [], mostSpecificWins: false, ...config },
    disabled: false,
  };
}

const ROUTER = { name: "router", typeUrl: ROUTER_FILTER, config: undefined, disabled: false };

function says(edits: readonly HeaderEdit[]): PerFilter {
  return new Map([[NAME, { typeUrl: HEADER_MUTATION_ROUTE, config: { request: edits, response: [] }, disabled: false }]]);
}

async function setUp(
  filters: HttpConnectionManagerConfig["filters"],
  options: { route?: Partial<Route>; host?: PerFilter } = {},
): Promise<{ scene: Scene; seen: () => Record<string, string | string[] | undefined> }> {
  let seen: Record<string, string | string[] | undefined> = {};
  const server = await startHttp((request, response) => {
    seen = { ...request.headersDistinct, path: request.url ?? "" };
    request.resume();
    request.on("end", () => response.writeHead(200, { "x-up": "1" }).end("fine"));
  });
  const host = options.host === undefined ? {} : { perFilter: options.host };
  const scene = await startScene(oneRoute([server.port], { route: options.route ?? {}, host, manager: { filters: [...filters, ROUTER] } }));
  started.push(scene, server);
  return { scene, seen: () => seen };
}

describe("the header mutation filter", () => {
  test("works in order: each operation sees what the ones before left, filters too", async () => {
    const { scene, seen } = await setUp([
      filter({ request: [set("x-a", "%REQ(x-a)%>one"), "x-b", set("x-b", "again", "APPEND_IF_EXISTS_OR_ADD")] }),
      filter({ request: [set("x-a", "%REQ(x-a)%>two"), set("x-c", "%REQ(x-request-id)%")] }, "second"),
    ]);
    await call(scene.port(), "/", { headers: { "x-a": "client", "x-b": ["1", "2"], "x-request-id": "r1" } });
    expect(seen()).toMatchObject({ "x-a": ["client>one>two"], "x-b": ["again"], "x-c": ["r1"], "x-request-id": ["r1"] });
  });

  test("comes before the route's operations, which see what it left", async () => {
    const route = { request: { remove: ["x-gone"], add: [set("x-route", "%REQ(x-a)%")] } };
    const { scene, seen } = await setUp([filter({ request: [set("x-a", "edited"), set("x-gone", "1")] })], { route });
    await call(scene.port(), "/", { headers: { "x-a": "client" } });
    expect(seen()).toMatchObject({ "x-route": ["edited"], "x-a": ["edited"] });
    expect(seen()["x-gone"]).toBeUndefined();
  });

  test("keeps bodies and their framing", async () => {
    const { scene, seen } = await setUp([filter({ request: [set("x-a", "1")] })]);
    await call(scene.port(), "/", { method: "POST", body: "abc", headers: { "content-length": 3 } });
    expect(seen()).toMatchObject({ "content-length": ["3"], "x-a": ["1"] });
    await call(scene.port(), "/", { method: "POST", body: Buffer.alloc(100_000), headers: { "transfer-encoding": "chunked" } });
    expect(seen()).toMatchObject({ "transfer-encoding": ["chunked"], "x-a": ["1"] });
  });

  test.each([
    [false, "route,host"],
    [true, "host,route"],
  ])("levels follow one another: most specific last where it is to win (%s)", async (mostSpecificWins, order) => {
    const append = (value: string): HeaderMutation => set("x-a", value, "APPEND_IF_EXISTS_OR_ADD");
    const { scene, seen } = await setUp([filter({ request: [append("chain")], mostSpecificWins })], {
      route: { perFilter: says([append("route")]) },
      host: says([append("host")]),
    });
    await call(scene.port(), "/");
    expect([seen()["x-a"]].flat().join()).toBe(`chain,${order}`);
  });

  test("answers are edited on the way back: the first filter last", async () => {
    const { scene } = await setUp([
      filter({ response: ["x-up", set("x-a", "%RESP(x-a)%>first")] }),
      filter({ response: [set("x-a", "second")] }, "second"),
    ]);
    const answer = await call(scene.port(), "/");
    expect([answer.headers["x-a"], answer.headers["x-up"]]).toEqual(["second>first", undefined]);
  });
});
