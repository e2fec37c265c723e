import { describe, expect, test } from "vitest";
import { type ProxyConfigResource, proxySettings, type ProxySettingsInput } from "./proxy-settings.ts";

const resource = (name: string, namespace: string, spec: object, creationTimestamp?: string): ProxyConfigResource => ({
  metadata: { name, namespace, creationTimestamp },
  spec,
});

const settings = (over: Partial<ProxySettingsInput> & { readonly annotation?: string } = {}) => {
  const { annotation, ...rest } = over;
  return proxySettings({
    defaultConfig: {},
    rootNamespace: "istio-system",
    resources: [],
    namespace: "default",
    labels: { app: "a" },
    annotations: annotation === undefined ? {} : { "proxy.istio.io/config": annotation },
    ...rest,
  });
};

describe("which setting counts", () => {
  const every = [
    resource("root", "istio-system", { concurrency: 2, environmentVariables: { A: "root", R: "root" } }),
    resource("namespace", "default", { concurrency: 3, environmentVariables: { A: "namespace", N: "namespace" } }),
    resource("workload", "default", { selector: { matchLabels: { app: "a" } }, environmentVariables: { A: "workload" } }),
    resource("other", "default", { selector: { matchLabels: { app: "b" } }, concurrency: 9 }),
    resource("elsewhere", "elsewhere", { concurrency: 9 }),
  ];

  test("the workload's own resource, the annotation, the namespace's, the root's, the mesh's; variables are united", () => {
    const defaultConfig = { concurrency: 1, proxyMetadata: { A: "mesh", M: "mesh" } };
    const annotation = "concurrency: 4\nproxyMetadata: {A: annotation, P: annotation}";
    const all = settings({ defaultConfig, resources: every, annotation });
    expect([all.concurrency, all.env]).toEqual([4, { A: "workload", M: "mesh", R: "root", N: "namespace", P: "annotation" }]);
    expect(settings({ defaultConfig, resources: every }).concurrency).toBe(3);
    const rooted = settings({ defaultConfig, resources: every, namespace: "istio-system" });
    expect([rooted.concurrency, rooted.env]).toEqual([2, { A: "root", M: "mesh", R: "root" }]);
    expect(settings({ defaultConfig }).concurrency).toBe(1);
  });

  test("of several that fit, the oldest", () => {
    const of = (name: string, concurrency: number, created: string) => resource(name, "default", { concurrency }, created);
    expect(settings({ resources: [of("b", 7, "2026-01-02T00:00:00Z"), of("a", 8, "2026-01-03T00:00:00Z")] }).concurrency).toBe(7);
  });
});

test("ISTIO_META_ variables are metadata of the node", () => {
  const proxyMetadata = { ISTIO_META_HTTP10: "1", ISTIO_METAJSON_X: '{"IDLE_TIMEOUT": "5s"}', ISTIO_METAJSON_BAD: "{", PLAIN: "1" };
  const { metadata, env } = settings({ defaultConfig: { meshId: "m", proxyMetadata } });
  expect(metadata).toEqual({ MESH_ID: "m", HTTP10: "1", IDLE_TIMEOUT: "5s" });
  expect(env).toEqual(proxyMetadata);
});

test("the limit of connections: the field, the agent's variable, the key of Envoy's runtime", () => {
  const runtimeValues = { "overload.global_downstream_max_connections": "5000" };
  const proxyMetadata = { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: "10000" };
  const connectionSettings = { globalDownstreamConnectionLimit: 30_000 };
  const limits = [
    {},
    { runtimeValues },
    { runtimeValues, proxyMetadata },
    { runtimeValues, proxyMetadata, connectionSettings },
    { runtimeValues, proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: "many" } },
  ].map((defaultConfig) => settings({ defaultConfig }).connectionLimit);
  expect(limits).toEqual([undefined, 5000, 10_000, 30_000, 5000]);
});

test("durations, runtime keys and the order of starting", () => {
  const defaultConfig = {
    drainDuration: "10s",
    terminationDrainDuration: "0s",
    runtimeValues: { "a.b": "1" },
    holdApplicationUntilProxyStarts: true,
  };
  expect(settings({ defaultConfig })).toMatchObject({
    drainMs: 10_000,
    terminationDrainMs: 0,
    holdApplication: true,
    runtimeValues: { "a.b": "1" },
  });
  expect(settings()).toMatchObject({ drainMs: 45_000, terminationDrainMs: 5000, holdApplication: false, runtimeValues: {} });
});

test("the control plane is told of a ProxyConfig of the pod's own, whole, and of no other", () => {
  const defaultConfig = {
    gatewayTopology: { numTrustedProxies: 1 },
    proxyHeaders: { server: { disabled: true }, xForwardedHost: { enabled: true } },
  };
  expect(settings({ defaultConfig }).proxyConfig).toBeUndefined();
  expect(settings({ defaultConfig, annotation: "concurrency: 2" }).proxyConfig).toBeUndefined();
  expect(settings({ defaultConfig, annotation: "proxyHeaders: {server: {value: x}}" }).proxyConfig).toEqual({
    gatewayTopology: { numTrustedProxies: 1 },
    proxyHeaders: { server: { value: "x" }, xForwardedHost: { enabled: true } },
  });
});

test("an annotation that cannot be used, or not wholly, says why", () => {
  expect(settings({ annotation: "concurrency: many" })).toMatchObject({
    concurrency: 1,
    problem: expect.stringMatching(/^annotation proxy.istio.io\/config, line 1: /),
  });
  expect(settings({ annotation: "concurrency: 2\nstatusPort: 1" })).toMatchObject({
    concurrency: 2,
    problem: expect.stringContaining("line 2: statusPort has no effect in Serin. No agent runs beside"),
  });
  expect(settings({ annotation: "concurrency: 2" }).problem).toBeUndefined();
});
