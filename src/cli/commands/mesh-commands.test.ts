// The commands that talk to the admin API, on a real control plane in this process, with one xDS client connected.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createAdminClient } from "../../admin-api/index.ts";
import { type ControlPlane, startControlPlane } from "../../control-plane/control-plane.ts";
import { silentLogger, systemClock } from "../../kit/index.ts";
import { createCli } from "../cli.ts";
import { createOutput } from "../output.ts";
import { printError } from "../print-error.ts";
import { createProgram } from "../program.ts";

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: demo4, namespace: test1}
spec: {selector: {app: demo4}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: demo4, namespace: test1}
spec:
  host: demo4.test1.svc.cluster.local
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: demo4-vs, namespace: test1}
spec:
  hosts: [demo4.test1.svc.cluster.local]
  http:
  - route:
    - {destination: {host: demo4.test1.svc.cluster.local, subset: v1}, weight: 90}
    - {destination: {host: demo4.test1.svc.cluster.local, subset: v2}, weight: 10}
`;

let folder: string;
let plane: ControlPlane;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "serin-cli-"));
  writeFileSync(path.join(folder, "mesh.yaml"), MESH);
  plane = await startControlPlane(
    {
      xds: { host: "127.0.0.1", port: 0 },
      admin: { host: "127.0.0.1", port: 0 },
      state: path.join(folder, "state"),
      printAddresses: false,
      logLevel: "error",
    },
    { clock: systemClock, logger: silentLogger },
  );
});
afterAll(async () => {
  await plane.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  const { code, notes } = await run("apply", path.join(folder, "mesh.yaml"));
  if (code !== 0) throw new Error(notes);
});

interface Ran {
  readonly out: string;
  readonly notes: string;
  readonly code: number;
}

async function run(...args: string[]): Promise<Ran> {
  let out = "";
  let notes = "";
  let code = 0;
  const stream = (take: (text: string) => void) =>
    Object.assign(
      new Writable({
        decodeStrings: false,
        write(text: string, _encoding, done) {
          take(text);
          done();
        },
      }),
      { isTTY: false, columns: 80 },
    ) as unknown as NodeJS.WriteStream;
  const output = createOutput({ stdout: stream((text) => (out += text)), stderr: stream((text) => (notes += text)) });
  const cli = { ...createCli({}), out: output, exit: (exit: 0 | 1 | 2) => (code = exit) };
  const program = createProgram(cli);
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
    command.exitOverride().configureOutput({ writeErr: (text) => (notes += text), writeOut: (text) => (out += text) });
  }
  const admin = ["--admin", plane.admin, "--admin-token-file", plane.tokenFile];
  const [command = "", ...rest] = args;
  const words = command === "canary" ? [command, rest.shift() ?? ""] : [command];
  try {
    await program.parseAsync([...words, ...admin, ...rest], { from: "user" });
  } catch (error) {
    code = printError(error, output);
  }
  return { out, notes, code };
}

const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args, "-o", "json")).out) as unknown;
const file = (name: string, text: string): string => {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
};

describe("apply", () => {
  test("the same again is unchanged; JSON carries the revision", async () => {
    const answer = (await json("apply", path.join(folder, "mesh.yaml"))) as { revision: number; results: { action: string }[] };
    expect(answer.results.map((result) => result.action)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(answer.revision).toBeGreaterThan(0);
  });

  test("a broken document refuses all of them, exit 1", async () => {
    const bad = file("bad.yaml", `${MESH.replace("weight: 90", "weight: 91").replace("weight: 10", "weigth: 9")}`);
    const { code, notes } = await run("apply", bad);
    expect(code).toBe(1);
    expect(notes).toMatch(/did you mean `weight`/);
    expect((await run("diff", path.join(folder, "mesh.yaml"))).code).toBe(0);
  });

  test("--wait without a proxy that needs it", async () => {
    const { out, code } = await run("apply", "--wait", path.join(folder, "mesh.yaml"));
    expect([code, out]).toEqual([0, expect.stringMatching(/no connected proxy needs the change/)]);
  });

  test.each([
    [["apply"], 2],
    [["apply", "/nowhere.yaml"], 2],
    [["get", "frob"], 2],
    [["get", "vs", "none"], 1],
    [["canary", "set", "demo4", "v2"], 2],
  ])("%j exits %i", async (args, code) => {
    expect((await run(...args)).code).toBe(code);
  });
});

test("get: table, yaml, json, short names", async () => {
  expect((await run("get", "vs")).out).toMatch(/NAMESPACE +NAME +GATEWAYS +HOSTS +WEIGHTS +AGE\ntest1 +demo4-vs .*v1=90 v2=10/);
  expect((await run("get", "VirtualService/demo4-vs", "-o", "yaml")).out).toMatch(
    /^apiVersion: networking.istio.io\/v1\nkind: VirtualService/,
  );
  expect(await json("get", "svc", "demo4", "-n", "test1")).toMatchObject({
    kind: "Service",
    spec: { clusterIP: expect.stringMatching(/^10\.96\./) },
  });
  expect(await json("get", "all")).toMatchObject({
    kind: "List",
    items: [{ kind: "Service" }, { kind: "VirtualService" }, { kind: "DestinationRule" }],
  });
});

test("what get prints can be applied again", async () => {
  const saved = file("saved.yaml", (await run("get", "vs", "demo4-vs", "-o", "yaml")).out);
  expect(await json("apply", saved)).toMatchObject({ results: [{ action: "unchanged" }] });
  await run("canary", "set", "demo4", "v2=30");
  expect(await run("apply", saved)).toMatchObject({ code: 1, notes: expect.stringMatching(/STORE_CONFLICT/) });
});

describe("canary set", () => {
  test("moves the weights and prints the split", async () => {
    const { out, code } = await run("canary", "set", "demo4", "v2=25");
    expect(out).toMatch(/test1\/demo4-vs +http\[0\] +demo4.test1.svc.cluster.local +v1=75 v2=25 +v1=90 v2=10/);
    expect(code).toBe(0);
    expect((await run("get", "vs")).out).toMatch(/v1=75 v2=25/);
  });

  test("two at once both succeed, one after the other", async () => {
    const results = await Promise.all([run("canary", "set", "demo4", "v2=40"), run("canary", "set", "demo4", "v2=60")]);
    expect(results.map((result) => result.code)).toEqual([0, 0]);
    expect((await run("get", "vs")).out).toMatch(/v1=60 v2=40|v1=40 v2=60/);
  });

  test("a host that nobody splits", async () => {
    expect(await run("canary", "set", "other", "v2=25")).toMatchObject({ code: 2, notes: expect.stringMatching(/CANARY_NOT_FOUND/) });
  });
});

test("diff shows what apply would change, and nothing else", async () => {
  const next = file("next.yaml", MESH.replace("weight: 90", "weight: 80").replace("weight: 10", "weight: 20"));
  const { out, code } = await run("diff", next);
  expect(code).toBe(1);
  expect(out.split("\n").filter((line) => /^[+-] /.test(line))).toEqual([
    "-          weight: 90",
    "+          weight: 80",
    "-          weight: 10",
    "+          weight: 20",
  ]);
});

test("describe: the resource, its issues and its proxies", async () => {
  const wrong = file("wrong.yaml", MESH.replace(/subset: v2/, "subset: v3"));
  expect((await run("apply", wrong)).notes).toMatch(/error IST0101 VirtualService test1\/demo4-vs/);
  const answer = (await json("describe", "vs", "demo4-vs")) as { resource: unknown; issues: { path: string }[] };
  expect(answer.resource).toMatchObject({ kind: "VirtualService" });
  expect(answer.issues.map((issue) => issue.path)).toContain("spec.http[0].route[1].destination.subset");
  const analyzed = await run("analyze");
  expect([analyzed.code, analyzed.out]).toEqual([1, expect.stringMatching(/v3/)]);
});

test("delete by name, by file, and of what is not there", async () => {
  expect((await run("delete", "vs", "demo4-vs")).out).toMatch(/VirtualService test1\/demo4-vs deleted/);
  expect((await run("delete", "vs", "demo4-vs")).code).toBe(1);
  expect((await run("delete", "vs", "demo4-vs", "--ignore-not-found")).code).toBe(0);
  expect((await run("delete", "--ignore-not-found", "-f", path.join(folder, "mesh.yaml"))).code).toBe(0);
  expect(await json("get", "all")).toMatchObject({ items: [] });
});

test("a status moves the revision, and that is live as well", async () => {
  const token = readFileSync(plane.tokenFile, "utf8").trim();
  const client = createAdminClient({ url: `http://${plane.admin}`, token });
  const before = await client.status();
  await client.putStatus({ kind: "VirtualService", namespace: "test1", name: "demo4-vs" }, { seen: before.revision });
  const { revision } = await client.status();
  expect(revision).toBeGreaterThan(before.revision);
  expect(await client.live({ revision, timeoutMs: 5000 })).toMatchObject({ live: true });
});

test("proxy-status without proxies", async () => {
  expect(await json("proxy-status")).toMatchObject({ proxies: [] });
  expect(await run("proxy-config", "routes", "none")).toMatchObject({ code: 1, notes: expect.stringMatching(/PROXY_NOT_FOUND/) });
});
