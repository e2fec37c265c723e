import { expect, test } from "vitest";
import type { StoredResource } from "../../admin-api/index.ts";
import { createClusterIps } from "./cluster-ip.ts";

function service(name: string, spec: object): StoredResource {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", creationTimestamp: "", uid: "", resourceVersion: "1", generation: 1 },
    spec,
  };
}

const addressOf = (result: { body: Readonly<Record<string, unknown>> }) => (result.body["spec"] as { clusterIP?: string }).clusterIP;

test("the address depends on the name alone, and stays", () => {
  const first = addressOf(createClusterIps([]).assign({ namespace: "default", name: "a" }, { spec: {} }));
  expect(first).toMatch(/^10\.96\.\d+\.\d+$/);
  expect(addressOf(createClusterIps([]).assign({ namespace: "default", name: "a" }, { spec: {} }))).toBe(first);
  const kept = createClusterIps([service("a", { clusterIP: "10.96.7.7" })]);
  expect(addressOf(kept.assign({ namespace: "default", name: "a" }, { spec: { ports: [] } }))).toBe("10.96.7.7");
});

test("no two Services share one, even when the hash falls on a used address", () => {
  const ips = createClusterIps([]);
  const seen = new Set(
    Array.from({ length: 3000 }, (_, i) => addressOf(ips.assign({ namespace: "default", name: `s${i}` }, { spec: {} }))),
  );
  expect(seen.size).toBe(3000);
});

test.each([
  ["headless", { clusterIP: "None" }],
  ["ExternalName", { type: "ExternalName", externalName: "example.com" }],
])("%s gets none", (_name, spec) => {
  expect(createClusterIps([]).assign({ namespace: "default", name: "a" }, { spec })).toEqual({ body: { spec } });
});

test("an address asked for is given, unless it is another's", () => {
  const ips = createClusterIps([service("b", { clusterIP: "10.96.0.9" })]);
  expect(addressOf(ips.assign({ namespace: "default", name: "a" }, { spec: { clusterIP: "10.96.0.8" } }))).toBe("10.96.0.8");
  expect(ips.assign({ namespace: "default", name: "c" }, { spec: { clusterIP: "10.96.0.9" } }).takenBy).toBe("default/b");
});
