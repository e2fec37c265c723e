// `serin up` as a user runs it: the examples from unmodified YAML, on our proxy and on real Envoy; what it starts it stops.
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { MeshFile } from "../src/admin-api/index.ts";
import { binomialMargin, failuresOf, startLoad } from "./load.ts";
import { freePort } from "../src/kit/testing/free-port.ts";
import { eventually, fetchText, type Plane, PLANES, startBackend } from "./mesh.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const SERIN = path.join(ROOT, "bin/serin");
const DEMO4 = path.join(ROOT, "examples/demo4");
const BOOKINFO = path.join(ROOT, "examples/bookinfo");
const HOST = "demo4.a.com";
const VERSION_HEADER = "x-serin-version";
const COOKIE = "email=ann@some-company-name.com";

interface Up {
  readonly gatewayPort: number;
  readonly home: string;
  readonly child: ChildProcess;
  serin(...args: string[]): { status: number | null; stdout: string; stderr: string };
}

const running: Up[] = [];
const folders: string[] = [];

/** A file of the test's own, gone when that is over. */
function written(name: string, text: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "serin-up-files-"));
  folders.push(folder);
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function up(plane: Plane, files: readonly string[]): Promise<Up> {
  const home = mkdtempSync(path.join(os.tmpdir(), "serin-up-"));
  const gatewayPort = await freePort();
  const env = { ...process.env, SERIN_HOME: home };
  const child = spawn(SERIN, ["up", "--proxy", plane, "--gateway-port", `80=${gatewayPort}`, ...files], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout?.on("data", (b: Buffer) => (said += b.toString()));
  child.stderr?.on("data", (b: Buffer) => (said += b.toString()));
  const mesh: Up = {
    gatewayPort,
    home,
    child,
    serin(...args) {
      const done = spawnSync(SERIN, args, { env, encoding: "utf8", timeout: 60_000 });
      return { status: done.status, stdout: done.stdout, stderr: done.stderr };
    },
  };
  running.push(mesh);
  await eventually(`up is ready\n${said}`, async () => {
    if (child.exitCode !== null) throw new Error(`up ended with ${child.exitCode}:\n${said}`);
    return existsSync(path.join(home, "default/mesh.json"));
  });
  return mesh;
}

async function down(mesh: Up): Promise<void> {
  if (mesh.child.exitCode === null && mesh.child.signalCode === null) {
    const gone = new Promise((resolve) => mesh.child.once("exit", resolve));
    mesh.child.kill("SIGINT");
    await gone;
  }
  rmSync(mesh.home, { recursive: true, force: true });
}

interface Reply {
  readonly status: number;
  readonly version: string | undefined;
  readonly body: string;
}

function ask(mesh: Up, options: { host: string; path?: string; headers?: Record<string, string> }): Promise<Reply | undefined> {
  return new Promise((resolve) => {
    const headers = { host: options.host, ...options.headers };
    const request = http.get(
      { host: "127.0.0.1", port: mesh.gatewayPort, path: options.path ?? "/", headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (b: Buffer) => chunks.push(b));
        response.on("error", () => resolve(undefined));
        response.on("end", () => {
          const version = response.headers[VERSION_HEADER];
          resolve({
            status: response.statusCode ?? 0,
            version: version === undefined ? undefined : String(version),
            body: Buffer.concat(chunks).toString(),
          });
        });
      },
    );
    request.on("error", () => resolve(undefined));
  });
}

function replicas(v1: number, v2: number): string {
  let n = 0;
  const counts = [v1, v2];
  const text = readFileSync(path.join(DEMO4, "deployments.yaml"), "utf8").replace(/replicas: 1/g, () => `replicas: ${counts[n++]}`);
  return written("deployments.yaml", text);
}

/** A namespace with one client in it, which does nothing by itself. `metadata`: of its pods. */
const shop = (metadata: string): string => `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: client, namespace: shop}
spec:
  selector: {matchLabels: {app: client}}
  template:
    metadata:${metadata}
    spec: {containers: [{name: client, image: busybox, command: [sleep, "1000"]}]}
---`;

/** Node programs go through the sidecar by HTTP_PROXY. */
const STATUS_OF = "fetch(process.argv[1]).then(({ status }) => console.log(status))";

/** Opens three connections to its sidecar one after another, keeps them, and says of each whether it was answered. */
const THREE_CONNECTIONS = `
  const net = require("node:net");
  const { hostname, port } = new URL(process.env.HTTP_PROXY ?? process.env.http_proxy);
  const dial = () => new Promise((done) => {
    const socket = net.connect(Number(port), hostname, () => socket.write("GET http://outside.example.com/ HTTP/1.1\\r\\nhost: outside.example.com\\r\\n\\r\\n"));
    socket.on("error", () => undefined).once("data", () => done(true)).once("close", () => done(false));
  });
  (async () => {
    const answered = [await dial(), await dial(), await dial()];
    console.log(answered.join());
    process.exit();
  })();
`;

const base = (virtualService: string): string[] =>
  ["service.yaml", "destination-rule.yaml", "gateway.yaml", virtualService].map((f) => path.join(DEMO4, f));

async function bothVersionsServe(mesh: Up, pods: number): Promise<void> {
  await eventually(`${pods} pods ready`, async () => {
    const list = JSON.parse(mesh.serin("get", "pods", "-n", "test1", "-o", "json").stdout) as { items: { status?: { ready?: boolean } }[] };
    return list.items.filter((p) => p.status?.ready === true).length === pods;
  });
  await eventually("the gateway answers", async () => (await ask(mesh, { host: HOST }))?.status === 200);
}

describe.each(PLANES)("serin up on %s", (plane) => {
  afterEach(async () => {
    for (const mesh of running.splice(0)) await down(mesh);
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [1, 5],
    [5, 1],
  ])("sends a tenth to v2 with %i replicas of v1 and %i of v2", async (v1, v2) => {
    const mesh = await up(plane, [...base("virtual-service-90-10.yaml"), replicas(v1, v2)]);
    await bothVersionsServe(mesh, v1 + v2);
    const load = await startLoad({ port: mesh.gatewayPort, host: HOST, connections: 16, requests: 20_000, versionHeader: VERSION_HEADER })
      .finished;
    expect(failuresOf(load)).toBe("");
    const share = (load.byBackend.get("v2") ?? 0) / load.requests;
    expect(Math.abs(share - 0.1)).toBeLessThan(binomialMargin(load.requests, 0.1));
  });

  it("splits users by cookie and leaves the others alone", async () => {
    const mesh = await up(plane, [...base("virtual-service-cookie-50-50.yaml"), path.join(DEMO4, "deployments.yaml")]);
    await bothVersionsServe(mesh, 2);
    const options = { port: mesh.gatewayPort, host: HOST, connections: 16, versionHeader: VERSION_HEADER };
    const matched = await startLoad({ ...options, requests: 5000, headers: { cookie: COOKIE } }).finished;
    const others = await startLoad({ ...options, requests: 5000, headers: { cookie: "email=ann@elsewhere.example" } }).finished;
    expect(failuresOf(matched) + failuresOf(others)).toBe("");
    expect(Math.abs((matched.byBackend.get("v2") ?? 0) / matched.requests - 0.5)).toBeLessThan(binomialMargin(matched.requests, 0.5));
    expect(others.byBackend.get("v2") ?? 0).toBe(0);
    expect(others.byBackend.get("v1")).toBe(others.requests);
  });

  it("steers the canary, and says when it is live", async () => {
    const mesh = await up(plane, [...base("virtual-service-90-10.yaml"), path.join(DEMO4, "deployments.yaml")]);
    await bothVersionsServe(mesh, 2);
    const versions = async (): Promise<Set<string | undefined>> =>
      new Set((await Promise.all(Array.from({ length: 30 }, () => ask(mesh, { host: HOST })))).map((r) => r?.version));
    expect(mesh.serin("canary", "set", "demo4", "v2=100")).toMatchObject({ status: 0 });
    expect(await versions()).toEqual(new Set(["v2"]));
    expect(mesh.serin("canary", "set", "demo4", "v2=0")).toMatchObject({ status: 0 });
    expect(await versions()).toEqual(new Set(["v1"]));
  });

  it("runs Istio's request-routing task", async () => {
    const files = [
      "namespace.yaml",
      "bookinfo.yaml",
      "bookinfo-gateway.yaml",
      "destination-rule-all.yaml",
      "virtual-service-all-v1.yaml",
    ].map((f) => path.join(BOOKINFO, f));
    const mesh = await up(plane, files);
    const page = (user?: string): Promise<Reply | undefined> =>
      ask(mesh, {
        host: "bookinfo.example.com",
        path: "/productpage?format=json",
        ...(user === undefined ? {} : { headers: { "end-user": user } }),
      });
    const reviews = async (user?: string): Promise<string> => /reviews-(v\d)/.exec((await page(user))?.body ?? "")?.[1] ?? "none";
    await eventually("all v1", async () => (await reviews()) === "v1", 60_000);
    expect(mesh.serin("apply", "--wait", path.join(BOOKINFO, "virtual-service-reviews-test-v2.yaml"))).toMatchObject({ status: 0 });
    await eventually("reviews serves jason", async () => (await reviews("jason")) === "v2");
    expect(await reviews()).toBe("v1");
    expect(mesh.serin("apply", "--wait", path.join(BOOKINFO, "virtual-service-reviews-50-v3.yaml"))).toMatchObject({ status: 0 });
    const seen = new Set(await Promise.all(Array.from({ length: 60 }, () => reviews())));
    expect(seen).toEqual(new Set(["v1", "v3"]));
    expect(mesh.serin("apply", "--wait", path.join(BOOKINFO, "virtual-service-reviews-v3.yaml"))).toMatchObject({ status: 0 });
    expect(await reviews("jason")).toBe("v3");
  });

  it("follows MeshConfig, ProxyConfig and the pod's annotation", async () => {
    const meshConfig = written(
      "mesh.yaml",
      `
outboundTrafficPolicy: {mode: REGISTRY_ONLY}
defaultConfig:
  holdApplicationUntilProxyStarts: true
  terminationDrainDuration: 1s
  proxyMetadata: {ISTIO_META_HTTP10: "1", FROM: mesh}
`,
    );
    const config = written(
      "config.yaml",
      `${shop(`
      labels: {app: client, istio-locality: eu.eu-1}
      annotations:
        proxy.istio.io/config: |
          runtimeValues: {"overload.global_downstream_max_connections": "1000"}
          connectionSettings: {globalDownstreamConnectionLimit: 2}
          proxyHeaders: {server: {value: shopkeeper}}`)}
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: {name: shop, namespace: shop}
spec: {environmentVariables: {FROM: namespace, ISTIO_META_IDLE_TIMEOUT: 50s}}
`,
    );
    const mesh = await up(plane, ["--mesh-config", meshConfig, config]);
    let pod = "";
    await eventually("the pod runs", async () => {
      const list = JSON.parse(mesh.serin("get", "pods", "-n", "shop", "-o", "json").stdout) as {
        items: { metadata: { name: string }; status?: { ready?: boolean } }[];
      };
      pod = list.items.find((item) => item.status?.ready === true)?.metadata.name ?? "";
      return pod !== "";
    });
    const file = path.join(mesh.home, "default/run", `${pod}.shop.bootstrap.json`);
    const { node, layered_runtime } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly node: { readonly metadata: object; readonly locality: object };
      readonly layered_runtime: { readonly layers: readonly object[] };
    };
    expect(node).toMatchObject({
      locality: { region: "eu", zone: "eu-1" },
      metadata: { HTTP10: "1", IDLE_TIMEOUT: "50s", PROXY_CONFIG: { proxyHeaders: { server: { value: "shopkeeper" } } } },
    });
    expect(layered_runtime.layers[0]).toMatchObject({ static_layer: { "overload.global_downstream_max_connections": 1000 } });
    const call = mesh.serin("exec", "-n", "shop", "client", "--", process.execPath, "-e", STATUS_OF, "http://outside.example.com/");
    expect(call.stdout.trim()).toBe("502");
    const three = mesh.serin("exec", "-n", "shop", "client", "--", process.execPath, "-e", THREE_CONNECTIONS);
    expect(three.stdout.trim()).toBe("true,true,false");
  });

  it("brings an egress gateway when a Gateway asks for one, and sends traffic to the outside through it", async () => {
    const outside = await startBackend("outside");
    const file = written(
      "egress.yaml",
      `${shop(" {labels: {app: client}}")}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: news, namespace: shop}
spec:
  hosts: [news.example.com]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: ${outside.port}}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: shop}
spec: {selector: {istio: egressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [news.example.com]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: news, namespace: shop}
spec:
  hosts: [news.example.com]
  gateways: [mesh, egress]
  http:
  - match: [{gateways: [mesh]}]
    route: [{destination: {host: istio-egressgateway.istio-system.svc.cluster.local, port: {number: 80}}}]
  - match: [{gateways: [egress]}]
    route: [{destination: {host: news.example.com, port: {number: 80}}}]
`,
    );
    const mesh = await up(plane, [file]);
    // Not `mesh.serin`: this process is the outside.
    const call = async (): Promise<string> => {
      const command = ["exec", "-n", "shop", "client", "--", process.execPath, "-e", STATUS_OF, "http://news.example.com/"];
      const { stdout } = await promisify(execFile)(SERIN, command, { env: { ...process.env, SERIN_HOME: mesh.home } }).catch(() => ({
        stdout: "",
      }));
      return stdout.trim();
    };
    await eventually("the outside answers", async () => (await call()) === "200");
    const state = JSON.parse(readFileSync(path.join(mesh.home, "default/runtime.json"), "utf8")) as {
      readonly pods: readonly { readonly name: string; readonly sidecar?: { readonly adminPort: number } }[];
    };
    const admin = state.pods.find(({ name }) => name.startsWith("istio-egressgateway-"))?.sidecar?.adminPort;
    const { text } = await fetchText(`http://127.0.0.1:${admin}/stats?filter=news.example.com.*upstream_rq_total`);
    const through = Number(/upstream_rq_total: (\d+)/.exec(text)?.[1]);
    expect([through, through === outside.count()]).toEqual([expect.any(Number), true]);
    expect(through).toBeGreaterThan(0);
    outside.stop();
  });

  it("leaves nothing behind, not even when it was killed", async () => {
    const files = [...base("virtual-service-90-10.yaml"), path.join(DEMO4, "deployments.yaml")];
    const first = await up(plane, files);
    await bothVersionsServe(first, 2);
    const marker = first.home;
    const alive = (): string => spawnSync("pgrep", ["-f", marker], { encoding: "utf8" }).stdout.trim();
    expect(alive()).not.toBe("");
    const file = JSON.parse(readFileSync(path.join(first.home, "default/mesh.json"), "utf8")) as MeshFile;
    process.kill(file.pid, "SIGKILL");
    first.child.kill("SIGKILL");
    await eventually("the gateway's fate is settled", async () => first.child.signalCode !== null || first.child.exitCode !== null);
    expect(first.serin("down").status).toBe(0);
    await eventually("no process is left", async () => alive() === "");
  });
});
