import { expect, test } from "vitest";
import type { ApplyResponse, PodState, RuntimeState, StoredResource } from "../../admin-api/index.ts";
import { findPod } from "../find-pod.ts";
import { formatTable } from "../output.ts";
import { parseClusterCounters, splitBetween } from "./cluster-counters.ts";
import { gatewayHosts, pathFor, splitRoutes } from "./entry-points.ts";
import { isSettled, unsettled } from "./settled.ts";

const text = (v1: number, v2: number): string => `# TYPE envoy_cluster_upstream_rq_total counter
envoy_cluster_upstream_rq_total{envoy_cluster_name="outbound|80|v1|demo4.test1.svc.cluster.local"} ${v1}
envoy_cluster_upstream_rq_total{envoy_cluster_name="outbound|80|v2|demo4.test1.svc.cluster.local"} ${v2}
envoy_cluster_upstream_rq_total{envoy_cluster_name="outbound|80||idle.test1.svc.cluster.local"} 7
envoy_cluster_upstream_rq_total{envoy_cluster_name="xds-grpc"} 3
`;

test("the split is what happened between two samples of the gateway's counters", () => {
  const split = splitBetween(parseClusterCounters(text(100, 10)), parseClusterCounters(text(190, 20)));
  expect(split).toEqual([
    {
      host: "demo4.test1.svc.cluster.local:80",
      total: 100,
      parts: [
        { subset: "v1", requests: 90 },
        { subset: "v2", requests: 10 },
      ],
    },
  ]);
  // Counters of a proxy that was restarted.
  expect(splitBetween(parseClusterCounters(text(100, 10)), parseClusterCounters(text(3, 1)))[0]?.total).toBe(4);
});

const pod = (part: Partial<PodState>): PodState => ({
  name: "p",
  namespace: "n",
  phase: "Running",
  ready: true,
  stopping: false,
  startedAt: "",
  labels: {},
  containers: [],
  ports: [],
  ...part,
});
const owner = { kind: "Deployment", name: "d" };
const stateOf = (part: Partial<RuntimeState>): RuntimeState => ({
  resourceVersion: "5",
  controlPlane: { name: "control-plane", state: "running", restarts: 0, log: "" },
  deployments: [],
  pods: [pod({ name: "gateway" })],
  ...part,
});
const ready = { name: "d", namespace: "n", desired: 1, current: 1, ready: 1, updated: 1, updatedReady: 1 };
const applied = (action: "created" | "configured" | "unchanged", revision = 5): ApplyResponse => ({
  revision,
  results: [{ key: { kind: "Deployment", namespace: "n", name: "d" }, action }],
  issues: [],
});

test.each([
  ["all ready", stateOf({ deployments: [ready] }), applied("created"), true],
  ["the Deployment is not seen yet", stateOf({}), applied("created"), false],
  ["the change is not seen yet", stateOf({ deployments: [ready] }), applied("configured", 6), false],
  ["an old pod is still there", stateOf({ deployments: [{ ...ready, current: 2 }] }), applied("unchanged"), false],
  ["gateway not ready", stateOf({ pods: [pod({ ready: false })], deployments: [ready] }), undefined, false],
  ["no gateway yet", stateOf({ pods: [] }), undefined, false],
] as const)("settled: %s", (_, state, response, expected) => {
  expect(isSettled(state, response)).toBe(expected);
});

test("what is missing is said with its reason", () => {
  const container = { name: "app", state: "backing-off" as const, restarts: 3, reason: "exit code 1", log: "" };
  const lines = unsettled(
    stateOf({
      deployments: [{ ...ready, updatedReady: 0 }],
      pods: [
        pod({ owner, ready: false, containers: [container] }),
        pod({ name: "q", owner, ready: false, message: "image x is not known" }),
      ],
    }),
  );
  expect(lines).toEqual([
    "Deployment n/d: 0 of 1 pods are ready",
    "pod n/p: app: exit code 1 (3 restarts)",
    "pod n/q: image x is not known",
  ]);
});

test("pods are found by name, with namespace, by Deployment, and the gateway by its role", () => {
  const state = stateOf({
    pods: [pod({ name: "gw-1", namespace: "istio-system" }), pod({ name: "d-1", owner }), pod({ name: "d-2", owner, namespace: "m" })],
  });
  expect(["d-1", "m/d", "deploy/d", "gateway"].map((name) => findPod(state, name).name)).toEqual(["d-1", "d-2", "d-1", "gw-1"]);
  expect(findPod(state, "d", "m").name).toBe("d-2");
  expect(() => findPod(state, "x")).toThrow(expect.objectContaining({ code: "POD_NOT_FOUND" }));
});

test("entry points: hosts of plain gateways, routes that split", () => {
  const resource = (kind: string, spec: unknown): StoredResource =>
    ({ apiVersion: "", kind, metadata: { name: "x" }, spec }) as StoredResource;
  const resources = [
    resource("Gateway", {
      selector: { istio: "ingressgateway" },
      servers: [
        { port: { protocol: "HTTP" }, hosts: ["test1/demo4.a.com"] },
        { port: { protocol: "HTTPS" }, hosts: ["b"] },
      ],
    }),
    resource("Gateway", { selector: { istio: "other" }, servers: [{ port: { protocol: "HTTP" }, hosts: ["c"] }] }),
    resource("VirtualService", {
      hosts: ["demo4.a.com"],
      http: [{ route: [{ destination: { host: "demo4.test1", subset: "v1" } }, { destination: { host: "demo4.test1", subset: "v2" } }] }],
    }),
    resource("VirtualService", { hosts: ["one"], http: [{ route: [{ destination: { host: "one", subset: "v1" } }] }] }),
  ];
  expect(gatewayHosts(resources)).toEqual(["demo4.a.com"]);
  expect(splitRoutes(resources)).toEqual([{ hosts: ["demo4.a.com"], service: "demo4", subsets: ["v1", "v2"] }]);
});

test("the path to try is one that a rule of a gateway's route serves", () => {
  const route = (spec: object): StoredResource =>
    ({ apiVersion: "", kind: "VirtualService", metadata: { name: "x" }, spec }) as unknown as StoredResource;
  const bookinfo = route({
    hosts: ["*"],
    gateways: ["g"],
    http: [{ match: [{ uri: { exact: "/productpage" } }, { uri: { prefix: "/static" } }] }],
  });
  const mesh = route({ hosts: ["*"], gateways: ["mesh"], http: [{ match: [{ uri: { exact: "/inside" } }] }] });
  const open = route({ hosts: ["a"], gateways: ["g"], http: [{ match: [{ uri: { exact: "/x" } }] }, {}] });
  expect(pathFor("*", [mesh, bookinfo])).toBe("/productpage");
  expect(pathFor("a", [open])).toBe("/");
  expect(pathFor("b", [open])).toBe("/");
});

test("tables line up, colours or not", () => {
  expect(
    formatTable([
      ["A", "BB"],
      ["\u001b[31mlong\u001b[39m", "x"],
    ]),
  ).toBe("A      BB\n\u001b[31mlong\u001b[39m   x");
});
