import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "../kit/index.ts";
import { createManualClock } from "../kit/testing/manual-clock.ts";
import { parseNode } from "../model/index.ts";
import { parseObject } from "../resources/index.ts";
import { buildMesh } from "../translate/index.ts";
import { resourcesOf } from "../translate/resources-of.fixture.ts";
import { createRegistrations } from "./registrations.ts";
import { openStore } from "./store/store.ts";

const dirs: string[] = [];
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const GROUP = {
  apiVersion: "networking.istio.io/v1",
  kind: "WorkloadGroup",
  metadata: { name: "vms", namespace: "default" },
  body: {
    spec: {
      metadata: { labels: { app: "vm", from: "group" }, annotations: { note: "x" } },
      template: {
        ports: { http: 8080 },
        labels: { from: "template", tier: "back" },
        serviceAccount: "vm-sa",
        weight: 3,
        locality: "eu/z0",
      },
    },
  },
};

function scene(dir = mkdtempSync(path.join(os.tmpdir(), "serin-reg-"))) {
  if (!dirs.includes(dir)) dirs.push(dir);
  const clock = createManualClock();
  const store = openStore({ file: path.join(dir, "store.db"), clock });
  const registrations = createRegistrations({ store, clock, logger: silentLogger });
  closing.push(() => {
    registrations.stop();
    store.close();
  });
  const connect = (
    over: { readonly metadata?: object; readonly ip?: string; readonly locality?: object; readonly isLocal?: boolean } = {},
  ) => {
    const ip = over.ip ?? "10.0.0.7";
    const metadata = { NAMESPACE: "default", AUTO_REGISTER_GROUP: "vms", LABELS: { from: "node" }, ...over.metadata };
    const node = {
      id: `sidecar~${ip}~vm-1.default~default.svc.cluster.local`,
      metadata,
      ...(over.locality === undefined ? {} : { locality: over.locality }),
    };
    const identity = parseNode(node);
    if (!identity.ok) throw new Error(identity.error);
    return { node, result: registrations.connect({ node, identity: identity.value, isLocal: over.isLocal ?? true }) };
  };
  const entries = () => store.list({ kind: "WorkloadEntry" });
  return { dir, clock, store, registrations, connect, entries };
}

function endOf(connected: ReturnType<ReturnType<typeof scene>["connect"]>): () => void {
  if (!connected.result.ok) throw new Error(connected.result.error);
  return connected.result.value;
}

describe("a proxy that names a WorkloadGroup", () => {
  test("is refused from another machine, where nobody knows who it is", () => {
    const s = scene();
    s.store.write([{ op: "put", object: GROUP }], "api");
    expect(s.connect({ isLocal: false }).result).toMatchObject({ ok: false, error: expect.stringContaining("not authenticated yet") });
    expect(s.entries()).toEqual([]);
    endOf(s.connect({ isLocal: false, metadata: { AUTO_REGISTER_GROUP: "" } }))();
  });

  test("has an entry of its template, with its own address, labels and place", () => {
    const s = scene();
    s.store.write([{ op: "put", object: GROUP }], "api");
    endOf(s.connect({ locality: { region: "eu", zone: "z1", subZone: "" }, metadata: { NETWORK: "vpc" } }));
    expect(s.entries()).toMatchObject([
      {
        metadata: {
          name: "vms-10.0.0.7-vpc",
          namespace: "default",
          labels: { app: "vm", from: "node", tier: "back" },
          annotations: { note: "x", "istio.io/autoRegistrationGroup": "vms" },
        },
        spec: {
          address: "10.0.0.7",
          ports: { http: 8080 },
          labels: { app: "vm", from: "node", tier: "back" },
          serviceAccount: "vm-sa",
          weight: 3,
          locality: "eu/z1",
          network: "vpc",
        },
      },
    ]);
    expect(s.entries()[0]?.metadata.annotations).not.toHaveProperty(["proxy.istio.io/health-checks-enabled"]);
  });

  test("is refused without its group, and where a WorkloadEntry that somebody wrote has the name; others are let be", () => {
    const s = scene();
    expect(s.connect().result).toEqual({ ok: false, error: "there is no WorkloadGroup default/vms to register with" });
    s.store.write([{ op: "put", object: GROUP }], "api");
    const written = {
      apiVersion: GROUP.apiVersion,
      kind: "WorkloadEntry",
      metadata: { name: "vms-10.0.0.7", namespace: "default" },
      body: { spec: { address: "1.2.3.4" } },
    };
    s.store.write([{ op: "put", object: written }], "api");
    expect(s.connect().result).toMatchObject({ ok: false, error: expect.stringContaining("is not one that registered itself") });
    endOf(s.connect({ metadata: { AUTO_REGISTER_GROUP: "" } }))();
    expect(s.entries()).toMatchObject([{ spec: { address: "1.2.3.4" } }]);
  });

  test("keeps its entry for ten seconds after its last stream, and through a restart of the control plane", () => {
    const first = scene();
    first.store.write([{ op: "put", object: GROUP }], "api");
    const [one, two] = [endOf(first.connect()), endOf(first.connect())];
    one();
    first.clock.advance(60_000);
    expect(first.entries()).toHaveLength(1);
    two();
    first.clock.advance(9000);
    const three = endOf(first.connect());
    first.clock.advance(9000);
    expect(first.entries()).toHaveLength(1);
    three();
    first.clock.advance(10_000);
    expect(first.entries()).toEqual([]);
    endOf(first.connect());
    for (const close of closing.splice(0)) close();
    const second = scene(first.dir);
    expect(second.entries()).toHaveLength(1);
    second.clock.advance(10_000);
    expect(second.entries()).toEqual([]);
  });

  test("with a probe, is an endpoint once its agent says that it is well, and no longer when it is not", () => {
    const s = scene();
    s.store.write([{ op: "put", object: GROUP }], "api");
    const { node } = s.connect({ metadata: { PROXY_CONFIG: { readinessProbe: { tcpSocket: { port: 8080 } } } } });
    const addresses = (): unknown[] => {
      const parsed = s.entries().flatMap((object) => parseObject(object, "stored").resource ?? []);
      const service = resourcesOf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: vm, namespace: default}
spec:
  hosts: [vm.example.com]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  workloadSelector: {labels: {app: vm}}`);
      const { endpoints } = buildMesh({ resources: [...service, ...parsed], meshConfig: undefined });
      return (endpoints.get("default/vm.example.com")?.byPort.get(80) ?? []).map(({ address, port, weight }) => [address, port, weight]);
    };
    expect(addresses()).toEqual([]);
    s.registrations.health(node.id, undefined);
    expect(addresses()).toEqual([["10.0.0.7", 8080, 3]]);
    s.registrations.health(node.id, "connection refused");
    expect(addresses()).toEqual([]);
    expect(s.entries()[0]?.status).toEqual({ conditions: [{ type: "Healthy", status: "False", message: "connection refused" }] });
  });
});
