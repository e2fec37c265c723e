// The weight moves, subsets come and go, and the control plane dies, all under load: no request may fail. On our proxy and on real Envoy.
import { afterEach, describe, expect, it } from "vitest";
import { edgeYaml, HOST } from "./edge-yaml.ts";
import { binomialMargin, failuresOf, startLoad } from "./load.ts";
import { type Backend, eventually, fetchText, live, type Mesh, PLANES, startBackend, startMesh } from "./mesh.ts";

const CHANGES = Number(process.env["SERIN_E2E_CHANGES"] ?? 200);
const SUBSET_ROUNDS = Number(process.env["SERIN_E2E_SUBSETS"] ?? 100);
const KILLS = Number(process.env["SERIN_E2E_KILLS"] ?? 20);

interface Shape {
  readonly v2Weight: number;
  readonly subsets: readonly string[];
  /** Sent back by the route, so that a test knows which config answered. */
  readonly mark?: string;
}

function yamlFor(gatewayPort: number, backends: readonly [Backend, Backend], { v2Weight, ...shape }: Shape): string {
  const weights = [
    { subset: "v1", weight: 100 - v2Weight },
    { subset: "v2", weight: v2Weight },
  ];
  const endpoints = backends.map(({ port }, i) => ({ port, version: `v${i + 1}` }));
  return edgeYaml(gatewayPort, { ...shape, endpoints, routes: weights.filter(({ weight }) => weight > 0) });
}

describe.each(PLANES)("a canary under load on %s", (plane) => {
  let mesh: Mesh | undefined;
  const backends: Backend[] = [];

  async function start(shape: Shape): Promise<{ mesh: Mesh; pair: readonly [Backend, Backend]; set: (next: Shape) => void }> {
    const pair = [await startBackend("v1"), await startBackend("v2")] as const;
    backends.push(...pair);
    const started = await startMesh({ plane, yaml: (port) => yamlFor(port, pair, shape) });
    mesh = started;
    await live(started, "start");
    return { mesh: started, pair, set: (next) => started.write(yamlFor(started.gatewayPort, pair, next)) };
  }

  afterEach(async () => {
    await mesh?.stop();
    mesh = undefined;
    for (const backend of backends.splice(0)) backend.stop();
  });

  it(`loses no request over ${CHANGES} weight changes`, async () => {
    const { mesh: running, set } = await start({ v2Weight: 10, subsets: ["v1", "v2"], mark: "start" });
    const load = startLoad({ port: running.gatewayPort, host: HOST, connections: 8 });
    const steps = [10, 25, 50, 100, 0];
    for (let i = 0; i < CHANGES; i++) {
      set({ v2Weight: steps[i % steps.length] ?? 0, subsets: ["v1", "v2"], mark: `m${i}` });
      await live(running, `m${i}`);
    }
    const result = await load.stop();
    expect(failuresOf(result)).toBe("");
    expect(result.requests).toBeGreaterThan(CHANGES);
  });

  it("splits by weight, whatever the number of endpoints", async () => {
    const { mesh: running } = await start({ v2Weight: 10, subsets: ["v1", "v2"], mark: "start" });
    const n = 20_000;
    const result = await startLoad({ port: running.gatewayPort, host: HOST, connections: 16, requests: n }).finished;
    expect(failuresOf(result)).toBe("");
    const share = (result.byBackend.get("v2") ?? 0) / result.requests;
    expect(Math.abs(share - 0.1)).toBeLessThan(binomialMargin(result.requests, 0.1));
  });

  it(`adds a subset and uses it in one step, and removes both, ${SUBSET_ROUNDS} times`, async () => {
    const { mesh: running, set } = await start({ v2Weight: 0, subsets: ["v1"], mark: "start" });
    const load = startLoad({ port: running.gatewayPort, host: HOST, connections: 8 });
    for (let i = 0; i < SUBSET_ROUNDS; i++) {
      set({ v2Weight: 50, subsets: ["v1", "v2"], mark: `with${i}` });
      await live(running, `with${i}`);
      set({ v2Weight: 0, subsets: ["v1"], mark: `without${i}` });
      await live(running, `without${i}`);
    }
    const result = await load.stop();
    expect(failuresOf(result)).toBe("");
    expect(result.byBackend.get("v2") ?? 0).toBeGreaterThan(0);
  });

  it(`serves on through ${KILLS} kills of the control plane, which re-sends nothing`, async () => {
    const { mesh: running, set } = await start({ v2Weight: 50, subsets: ["v1", "v2"], mark: "start" });
    const load = startLoad({ port: running.gatewayPort, host: HOST, connections: 8 });
    const updates = async (): Promise<string> =>
      (await running.proxyAdmin("/stats?filter=(cds|lds|rds)\\.update_success")).split("\n").filter(Boolean).sort().join("\n");
    const before = await updates();
    for (let i = 0; i < KILLS; i++) {
      await running.restartControlPlane("SIGKILL");
      await eventually(
        "proxy connected again",
        async () => /connected_state: 1/.test(await running.proxyAdmin("/stats?filter=control_plane.connected_state")),
        30_000,
      );
    }
    expect(await updates()).toBe(before);
    set({ v2Weight: 50, subsets: ["v1", "v2"], mark: "after" });
    await live(running, "after");
    const result = await load.stop();
    expect(failuresOf(result)).toBe("");
    expect((await fetchText(`http://127.0.0.1:${running.adminPort}/ready`)).status).toBe(200);
  });
});
