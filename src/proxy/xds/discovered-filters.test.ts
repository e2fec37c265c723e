import { describe, expect, test } from "vitest";
import * as api from "../../envoy-api/index.ts";
import type { Clock } from "../../kit/index.ts";
import { createRuntimeCell, type HttpFilterConfig } from "../config/index.ts";
import { createAssembler } from "./assembler.ts";
import { createResourceStore, type Applied } from "./resource-store.ts";
import type { ResourceType } from "./resource-types.ts";

const MUTATION = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
const FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const ROUTER = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" };

function listener(discovery: object): object {
  const source = { config_source: { ads: {}, initial_fetch_timeout: "3s" }, type_urls: [MUTATION], ...discovery };
  return {
    name: "in",
    address: { socket_address: { address: "127.0.0.1", port_value: 80 } },
    filter_chains: [
      {
        filters: [
          {
            name: "http",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              stat_prefix: "x",
              route_config: {},
              http_filters: [
                { name: "mine", config_discovery: source },
                { name: "router", typed_config: ROUTER },
              ],
            },
          },
        ],
      },
    ],
  };
}

function config(header: string, type: object = {}): object {
  const mutations = { request_mutations: [{ remove: header }] };
  return { name: "mine", typed_config: { "@type": MUTATION, mutations, ...type } };
}

function startScene() {
  const timers: (() => void)[] = [];
  const clock: Clock = { now: () => 0, wall: () => 0, after: (_, fn) => (timers.push(fn), () => undefined) };
  const store = createResourceStore(clock);
  const cell = createRuntimeCell();
  const assembler = createAssembler({ store, fixed: { listeners: [], clusters: [] }, secretOf: undefined, cell, clock });
  return {
    assembler,
    timers,
    put(type: ResourceType, json: object, name: string): Applied {
      const schema = type === "listener" ? api.ListenerSchema : api.TypedExtensionConfigSchema;
      const applied = store.update(type, [
        { name, version: "1", bytes: api.toBinary(schema, api.fromAnyProtoJson(schema, json as never, { lenient: false })) },
      ]);
      assembler.update();
      return applied;
    },
    /** The filter as it runs; undefined = the listener does not. */
    filter(): HttpFilterConfig | undefined {
      const network = cell.current().listeners.get("in")?.filterChains[0]?.network;
      return network?.kind === "http" ? network.filters[0] : undefined;
    },
  };
}

describe("a filter that comes by name", () => {
  test("is asked for, keeps its listener waiting, and changes with its resource", () => {
    const scene = startScene();
    scene.put("listener", listener({}), "in");
    expect(scene.assembler.current().interests.extensionConfigs).toEqual(new Set(["mine"]));
    expect(scene.filter()).toBeUndefined();
    scene.put("extensionConfig", config("x-a"), "mine");
    expect(scene.filter()).toMatchObject({ name: "mine", typeUrl: MUTATION, config: { request: ["x-a"] } });
    const before = scene.filter();
    scene.assembler.update();
    expect(scene.filter()).toBe(before);
    scene.put("extensionConfig", config("x-b"), "mine");
    expect(scene.filter()?.config).toMatchObject({ request: ["x-b"] });
  });

  test("that is refused leaves the one before in force", () => {
    const scene = startScene();
    scene.put("listener", listener({}), "in");
    scene.put("extensionConfig", config("x-a"), "mine");
    const lua = { "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua", mutations: undefined };
    const applied = scene.put("extensionConfig", JSON.parse(JSON.stringify(config("", lua))) as object, "mine");
    expect(applied.rejected[0]?.reason).toContain("envoy.extensions.filters.http.lua.v3.Lua is not supported");
    expect(scene.filter()?.config).toMatchObject({ request: ["x-a"] });
  });

  test("that never comes, or is of another type, answers 500 when it is waited for no longer", () => {
    const scene = startScene();
    scene.put("listener", listener({}), "in");
    scene.put("extensionConfig", { ...config(""), typed_config: { "@type": FAULT } }, "mine");
    expect(scene.filter()).toBeUndefined();
    for (const fire of scene.timers) fire();
    expect(scene.filter()).toMatchObject({ name: "mine", typeUrl: "" });
  });

  test("has its default in the meantime, at once where that is asked for", () => {
    const own = { "@type": MUTATION, mutations: { request_mutations: [{ remove: "x-default" }] } };
    const waiting = startScene();
    waiting.put("listener", listener({ default_config: own }), "in");
    expect(waiting.filter()).toBeUndefined();
    for (const fire of waiting.timers) fire();
    expect(waiting.filter()?.config).toMatchObject({ request: ["x-default"] });
    const eager = startScene();
    eager.put("listener", listener({ default_config: own, apply_default_config_without_warming: true }), "in");
    expect(eager.filter()?.config).toMatchObject({ request: ["x-default"] });
    eager.put("extensionConfig", config("x-a"), "mine");
    expect(eager.filter()?.config).toMatchObject({ request: ["x-a"] });
  });

  test.each([
    [{ type_urls: ["type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"] }, "lua.v3.Lua is not supported"],
    [{ type_urls: [] }, "type_urls: are missing"],
    [{ default_config: { "@type": FAULT } }, "default_config: is of another type"],
    [{ config_source: { path_config_source: { path: "/x" } } }, "path_config_source: is not supported"],
  ])("of %j is refused with its listener", (discovery, reason) => {
    expect(startScene().put("listener", listener(discovery), "in").rejected[0]?.reason).toContain(reason);
  });
});
