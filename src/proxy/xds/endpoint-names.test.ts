// A cluster whose endpoints are names waits for their first answer; the config before serves until then.
import { expect, test } from "vitest";
import * as api from "../../envoy-api/index.ts";
import { type ClusterConfig, createRuntimeCell } from "../config/index.ts";
import { createAssembler } from "./assembler.ts";
import { createResourceStore } from "./resource-store.ts";

function cluster(address: string): api.Cluster {
  const lbEndpoint = {
    hostIdentifier: {
      case: "endpoint",
      value: { address: { address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: 80 } } } } },
    },
  };
  return api.create(api.ClusterSchema, {
    name: "c",
    clusterDiscoveryType: { case: "type", value: api.Cluster_DiscoveryType.STRICT_DNS },
    loadAssignment: { endpoints: [{ lbEndpoints: [lbEndpoint] }] },
  } as never);
}

function startScene() {
  const store = createResourceStore({ now: () => 0, wall: () => 0, after: () => () => undefined });
  const cell = createRuntimeCell();
  const warm = new Set<ClusterConfig>();
  const forgotten: string[] = [];
  let followed: ClusterConfig | undefined;
  const assembler = createAssembler({
    store,
    fixed: { listeners: [], clusters: [] },
    secretOf: undefined,
    cell,
    clock: { now: () => 0, wall: () => 0, after: () => () => undefined },
    names: {
      prepare: (config) => void (followed = config),
      warm: (config) => warm.has(config),
      forget: (name) => void forgotten.push(name),
    },
  });
  return {
    forgotten,
    assembler,
    put(address: string) {
      store.update("cluster", [{ name: "c", version: address, bytes: api.toBinary(api.ClusterSchema, cluster(address)) }]);
      assembler.update();
    },
    remove() {
      store.remove("cluster", ["c"]);
      assembler.update();
    },
    answered() {
      if (followed !== undefined) warm.add(followed);
      assembler.update();
    },
    active: () => cell.current().clusters.get("c")?.endpoints?.endpoints[0]?.address,
    warming: () => [...assembler.current().warmingClusters],
  };
}

test("a new cluster is there with the first answer, a changed one serves as before until then", () => {
  const scene = startScene();
  scene.put("a.test");
  expect([scene.active(), scene.warming()]).toEqual([undefined, ["c"]]);
  scene.answered();
  expect([scene.active(), scene.warming()]).toEqual(["a.test", []]);
  scene.put("b.test");
  expect([scene.active(), scene.warming()]).toEqual(["a.test", ["c"]]);
  scene.answered();
  expect([scene.active(), scene.warming()]).toEqual(["b.test", []]);
});

test("a cluster that goes before its first answer is no longer looked up", () => {
  const scene = startScene();
  scene.put("a.test");
  scene.remove();
  expect(scene.forgotten).toEqual(["c"]);
  expect([scene.active(), scene.warming()]).toEqual([undefined, []]);
});
