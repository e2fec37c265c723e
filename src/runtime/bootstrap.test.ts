import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { buildBootstrap } from "./bootstrap.ts";
import { countActive } from "./proxy-process.ts";

const ENVOY = process.env["ENVOY"] ?? path.resolve(import.meta.dirname, "../../.cache/envoy/envoy");
const input = {
  type: "sidecar",
  pod: "demo4-v1-x",
  namespace: "test1",
  labels: { app: "demo4", version: "v1" },
  annotations: { a: "b" },
  serviceAccount: "default",
  workload: "demo4-v1",
  adminPort: 20_001,
  xdsPort: 20_002,
  httpProxyPort: 20_003,
  settings: { metadata: {}, proxyConfig: undefined, runtimeValues: {}, connectionLimit: undefined },
} as const;

test("names the proxy as Istio does", () => {
  const { node } = buildBootstrap(input) as { node: { id: string; metadata: Record<string, unknown> } };
  expect(node.id).toBe("sidecar~127.0.0.1~demo4-v1-x.test1~test1.svc.cluster.local");
  expect(node.metadata).toMatchObject({
    INTERCEPTION_MODE: "NONE",
    HTTP_PROXY_PORT: "20003",
    SERIN_BIND: "127.0.0.1",
    LABELS: input.labels,
  });
});

const everything = {
  ...input,
  labels: { ...input.labels, "istio-locality": "eu.eu-1.a" },
  settings: {
    metadata: { ENABLE_SELF_DISCOVERY: "true", HTTP10: "1", NAMESPACE: "stolen" },
    proxyConfig: { gatewayTopology: { numTrustedProxies: 1 } },
    runtimeValues: { "overload.global_downstream_max_connections": "100", flag: "true", text: "x" },
    connectionLimit: 100,
  },
};

test("what a ProxyConfig says is in it: metadata (never its identity), runtime keys, its own cluster", () => {
  interface Boot {
    readonly node: { readonly metadata: Record<string, unknown>; readonly locality?: unknown };
    readonly cluster_manager?: unknown;
    readonly overload_manager?: unknown;
    readonly admin: object;
    readonly layered_runtime: { readonly layers: readonly { readonly static_layer?: Record<string, unknown> }[] };
    readonly static_resources: { readonly clusters: readonly { readonly name: string }[] };
  }
  const boot = buildBootstrap(everything) as Boot;
  expect(boot.node.metadata).toMatchObject({
    HTTP10: "1",
    NAMESPACE: "test1",
    PROXY_CONFIG: { gatewayTopology: { numTrustedProxies: 1 } },
  });
  expect(boot.node.locality).toEqual({ region: "eu", zone: "eu-1", sub_zone: "a" });
  expect(boot.cluster_manager).toEqual({ local_cluster_name: "local_cluster" });
  expect(boot.static_resources.clusters.map(({ name }) => name)).toEqual(["xds-grpc", "local_cluster"]);
  expect(boot.layered_runtime.layers[0]?.static_layer).toMatchObject({
    "overload.global_downstream_max_connections": 100,
    flag: true,
    text: "x",
  });
  const limited = (connections: number) => ({
    resource_monitors: [{}, { typed_config: { max_active_downstream_connections: connections } }],
  });
  expect(boot.overload_manager).toMatchObject(limited(100));
  expect(boot.admin).toMatchObject({ ignore_global_conn_limit: true });
  const plain = buildBootstrap(input) as Boot;
  expect(plain.overload_manager).toMatchObject(limited(50_000));
  expect([plain.node.locality, plain.cluster_manager, plain.node.metadata["PROXY_CONFIG"]]).toEqual([undefined, undefined, undefined]);
});

test.skipIf(!existsSync(ENVOY) && process.env["SERIN_REQUIRE_ENVOY"] !== "1")("real Envoy takes it", () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "serin-boot-"));
  const file = path.join(dir, "boot.json");
  writeFileSync(file, JSON.stringify(buildBootstrap(everything)));
  const done = spawnSync(ENVOY, ["--mode", "validate", "-c", file, "--disable-hot-restart"], { encoding: "utf8" });
  rmSync(dir, { recursive: true, force: true });
  expect(done.stderr + done.stdout).toContain("OK");
  expect(done.status).toBe(0);
});

test("requests under way are counted without those of the admin listener", () => {
  expect(
    countActive(
      "http.admin.downstream_rq_active: 1\nhttp.inbound_0.0.0.0_80.downstream_rq_active: 2\nhttp.http_proxy.downstream_rq_active: 3\n",
    ),
  ).toBe(5);
});
