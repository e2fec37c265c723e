// The runtime with real processes on loopback: a small control plane and proxy stand in for ours, the application is the real stand-in.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createAdminClient,
  isSameProcess,
  type MeshFile,
  pathsIn,
  type PodState,
  type ProcessIdentity,
  type RuntimeMessage,
  type RuntimeState,
} from "../admin-api/index.ts";
import { seededRng, systemClock } from "../kit/index.ts";
import { type Agent, startAgent } from "./agent.ts";
import { createProcessRecords, endLeftovers } from "./process-records.ts";

const SOURCES = {
  "control-plane": path.join(import.meta.dirname, "testing/fake-control-plane.ts"),
  proxy: path.join(import.meta.dirname, "testing/fake-proxy.ts"),
  "stand-in": path.join(import.meta.dirname, "catalogue/main.ts"),
};

async function eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, ms = 30_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function deployment(options: { readonly mark: string; readonly replicas?: number; readonly image?: string }): string {
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "demo", namespace: "test1" },
    spec: {
      replicas: options.replicas ?? 1,
      template: {
        metadata: { labels: { app: "demo", version: "v1" }, annotations: { "sidecar.istio.io/inject": "true", mark: options.mark } },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: "app",
              image: options.image ?? "mritd/demo",
              ports: [{ name: "http", containerPort: 80 }],
              readinessProbe: { httpGet: { path: "/", port: "http" }, initialDelaySeconds: 30, periodSeconds: 1 },
              livenessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
}

describe("the runtime", () => {
  let dir = "";
  let agent: Agent | undefined;
  let state: RuntimeState | undefined;
  let mesh: MeshFile | undefined;
  let messages: RuntimeMessage[] = [];

  async function start(): Promise<void> {
    messages = [];
    agent = await startAgent({
      run: { name: "t", dir: path.join(dir, "mesh"), proxy: "serin", gatewayPorts: {}, sources: [], keep: false },
      clock: systemClock,
      rng: seededRng(Date.now()),
      env: process.env,
      cwd: dir,
      program: (name) => [process.execPath, SOURCES[name]],
      send(message) {
        messages.push(message);
        if (message.type === "state") state = message.state;
        if (message.type === "ready") mesh = message.mesh;
      },
    });
    await eventually("the control plane answers", () => mesh);
  }

  const apply = (text: string): Promise<unknown> =>
    createAdminClient({ url: mesh?.adminUrl ?? "", token: mesh?.token ?? "" }).apply({ documents: [{ file: "t", text }] });
  const pods = (): readonly PodState[] => (state?.pods ?? []).filter((pod) => pod.owner !== undefined);
  const readyPod = (): PodState | undefined => pods().find((pod) => pod.ready);
  const recorded = (): ProcessIdentity[] => {
    const { processes } = pathsIn(path.join(dir, "mesh"));
    return existsSync(processes)
      ? readdirSync(processes).map((file) => JSON.parse(readFileSync(path.join(processes, file), "utf8")) as ProcessIdentity)
      : [];
  };

  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "serin-runtime-"));
    state = undefined;
    mesh = undefined;
  });
  afterEach(async () => {
    await agent?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("runs a pod, heals what is killed, rolls to a new template, and leaves nothing behind", async () => {
    await start();
    await apply(deployment({ mark: "a" }));
    const first = await eventually("pod ready", readyPod);
    expect(first.name).toMatch(/^demo-[bcdfghjklmnpqrstvwxz2456789]+-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(first.sidecar?.state).toBe("running");
    const answer = await fetch(`http://127.0.0.1:${first.ports[0]?.appPort ?? 0}/?format=json`);
    expect(answer.headers.get("x-serin-version")).toBe("v1");
    expect(answer.headers.get("x-serin-pod")).toBe(first.name);
    await answer.text();

    process.kill(first.containers[0]?.pid ?? 0, "SIGKILL");
    await eventually("application is back", () => pods().find((pod) => pod.ready && pod.containers[0]?.restarts === 1));
    process.kill(pods()[0]?.sidecar?.pid ?? 0, "SIGKILL");
    await eventually("sidecar is back", () => pods().find((pod) => pod.ready && pod.sidecar?.restarts === 1));
    process.kill(state?.controlPlane.pid ?? 0, "SIGKILL");
    await eventually("control plane is back", () => messages.find((m) => m.type === "event" && m.text === "control plane is back"));
    expect(messages.some((m) => m.type === "event" && m.text.includes("signal SIGKILL"))).toBe(true);

    await apply(deployment({ mark: "b" }));
    let least = Number.POSITIVE_INFINITY;
    await eventually("only the new pod is left", () => {
      least = Math.min(least, pods().filter((pod) => pod.ready).length);
      return pods().length === 1 && pods()[0]?.name !== first.name && readyPod() !== undefined;
    });
    expect(least).toBeGreaterThan(0);

    const running = recorded();
    expect(running.length).toBe(4);
    await agent?.stop();
    expect(running.filter(isSameProcess)).toEqual([]);
    expect(existsSync(pathsIn(path.join(dir, "mesh")).mesh)).toBe(false);
    expect(existsSync(pathsIn(path.join(dir, "mesh")).lock)).toBe(false);
  });

  test("an unknown image says how to map it, and runs once the template is mended", async () => {
    await start();
    await apply(deployment({ mark: "a", image: "example.com/shop:1" }));
    const blocked = await eventually("pod is blocked", () => pods().find((pod) => pod.phase === "Blocked"));
    expect(blocked.message).toContain("example.com/shop:1 is not known here");
    expect(blocked.message).toContain("--image-map");
    await apply(deployment({ mark: "b" }));
    const ready = await eventually("pod ready", readyPod);
    await eventually("the blocked one is gone", () => pods().length === 1 && pods()[0]?.name === ready.name);
  });

  test("a second runtime of the same name is refused", async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: "MESH_RUNNING" });
  });
});

test("leftovers of a killed runtime are ended, with what they started; other processes with their pid are not", async () => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "serin-left-"));
  const script =
    "process.on('SIGTERM',()=>{}); require('child_process').spawn(process.execPath,['-e','setInterval(()=>{},1e3)'],{stdio:'ignore'}); console.log('up'); setInterval(()=>{},1e3)";
  const child = spawn(process.execPath, ["-e", script], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const other = spawn(process.execPath, ["-e", "setInterval(()=>{},1e3)"], { detached: true, stdio: "ignore" });
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const records = createProcessRecords(path.join(dir, "p"));
    records.add(child.pid ?? 0, "left");
    writeFileSync(path.join(dir, "p", "x.json"), JSON.stringify({ pid: other.pid, startTime: "another", name: "other" }));
    const gone = new Promise((resolve) => child.once("exit", resolve));
    expect(await endLeftovers({ dir: path.join(dir, "p"), clock: systemClock, graceMs: 100 })).toEqual(["left"]);
    await gone;
    expect(() => process.kill(-(child.pid ?? 0), 0)).toThrow("ESRCH");
    expect(other.exitCode).toBe(null);
    expect(() => process.kill(other.pid ?? 0, 0)).not.toThrow();
  } finally {
    other.kill("SIGKILL");
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
});
