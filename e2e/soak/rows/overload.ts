// Row 22: more requests than the proxy can serve, and more than it has memory for.
import http from "node:http";
import http2 from "node:http2";
import { quantiles } from "../../../bench/measure.ts";
import { cpuSeconds } from "../../../bench/process-usage.ts";
import { type Load, startLoad } from "../../load.ts";
import { eventually, sleep } from "../../mesh.ts";
import { startOpenLoad } from "../open-load.ts";
import { atLeast, type Figure, type SoakContext, type SoakRow, told } from "../row.ts";
import { HOST, onOneBackend, type Stage } from "../stage.ts";

/**
 * Matches that a request has to be held against before it is served, so that it costs the proxy milliseconds: a plain one costs little more than its
 * refusal, and three times as many as the proxy can serve are more than a test's caller can send.
 */
const COSTLY = Array.from({ length: 200 }, (_, i) => `[{uri: {regex: "/.*(a|b).*(c|d).*x${i}"}}]`);

interface Asked {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly ms: number;
}

function ask(port: number, path: string, agent: http.Agent): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    const request = http.get({ agent, host: "127.0.0.1", port, path, headers: { host: HOST } }, (response) => {
      response.resume();
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, retryAfter: headers["retry-after"], ms: performance.now() - from });
      });
    });
    request.on("error", reject);
  });
}

/** Answers with 200 in so long, a second. */
async function goodput(load: Pick<Load, "soFar">, ms: number): Promise<number> {
  const good = (): number => load.soFar().get("200") ?? 0;
  const [before, from] = [good(), performance.now()];
  await sleep(ms);
  return ((good() - before) / (performance.now() - from)) * 1000;
}

/** One caller of its own: what refusals are like, one after the other. */
async function probe(port: number, path: string, ms: number): Promise<readonly Asked[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const refused: Asked[] = [];
  for (const end = performance.now() + ms; performance.now() < end;) {
    const asked = await ask(port, path, agent);
    if (asked.status === 503) refused.push(asked);
    await sleep(5);
  }
  agent.destroy();
  return refused;
}

async function tooManyRequests({ plane, pick }: SoakContext, { mesh, pid }: Stage): Promise<readonly Figure[]> {
  const path = `/${"abcd".repeat(500)}`;
  const to = { port: mesh.gatewayPort, host: HOST, path };
  // What it can: as many callers as keep it busy, once it is warm.
  const closed = startLoad({ ...to, connections: 64 });
  await sleep(2000);
  const cpu = cpuSeconds(pid);
  const ms = pick(6000, 2000);
  const peak = await goodput(closed, ms);
  const share = (cpuSeconds(pid) - cpu) / (ms / 1000);
  await closed.stop();
  const load = startOpenLoad({ ...to, rate: 3 * peak, connections: pick(1000, 200), timeoutMs: 60_000 });
  if (plane === "serin") {
    const shed = (): Promise<string> => mesh.proxyAdmin("/stats?filter=decode_headers.shed_load_count");
    await eventually("requests are refused", async () => /: [1-9]/.test(await shed()), 60_000);
    // Those who came before are answered first, which takes as long as the machine has other things to do.
    await eventually("nobody waits", async () => load.waiting() < 50, 90_000);
  }
  await sleep(2000);
  const [good, refusals] = await Promise.all([goodput(load, pick(20_000, 4000)), probe(mesh.gatewayPort, path, pick(20_000, 4000))]);
  const { outcomes } = await load.stop();
  const latencies = quantiles(refusals.map((one) => one.ms));
  const figures = [
    told("most it can, a second", `${peak.toFixed(0)}, of ${(share * 100).toFixed(0)} % of a core`),
    told("outcomes of three times that", [...outcomes].map(([outcome, n]) => `${outcome}: ${n}`).join(", ")),
  ];
  // Envoy has no monitor that would fit: cpu_utilization sees the whole machine. Who does not get an answer waits.
  if (plane === "envoy") return [...figures, told("goodput of the most, %", ((good / peak) * 100).toFixed(0))];
  return [
    ...figures,
    // A short run is too short for the share to settle on a machine that does other things too.
    atLeast("goodput of the most", (good / peak) * 100, pick(80, 40), " %"),
    atLeast("refusals seen", refusals.length, 10),
    told("a refusal takes", `${latencies.p50Ms.toFixed(1)} ms, p99 ${latencies.p99Ms.toFixed(1)} ms`),
    { name: "they say when to come again", value: refusals[0]?.retryAfter ?? "no", good: refusals.every((one) => one.retryAfter === "1") },
  ];
}

interface Flood {
  readonly asked: number;
  /** Answered with 503, or their connection closed. */
  readonly refused: number;
  stop(): void;
}

const STREAMS = 100;

/** Requests that wait in the proxy, over many connections, until some are refused; then as many again, to see that it lives. */
async function flood(port: number, most: number): Promise<Flood> {
  const sessions: http2.ClientHttp2Session[] = [];
  let asked = 0;
  let refused = 0;
  let until = most;
  let over = false;
  const onRefused = (): void => {
    if (!over && refused++ === 0) until = Math.min(most, asked * 2);
  };
  while (asked < until) {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    session.on("error", () => undefined);
    session.on("close", onRefused);
    sessions.push(session);
    for (let i = 0; i < STREAMS; i++) {
      // Headers of its own make each request cost something.
      const stream = session.request({ ":path": "/", ":authority": HOST, "x-own": `${asked++}`.padEnd(4000, "x") });
      stream.on("response", ({ ":status": status }) => {
        if (status === 503) onRefused();
      });
      stream.on("error", () => undefined);
    }
    await sleep(20);
  }
  await sleep(500);
  over = true;
  return { asked, refused, stop: () => sessions.forEach((session) => session.destroy()) };
}

async function tooLittleMemory({ pick }: SoakContext, { mesh }: Stage): Promise<readonly Figure[]> {
  const { asked, refused, stop } = await flood(mesh.gatewayPort, pick(60_000, 30_000));
  const lives = mesh.proxy().exitCode === null && mesh.proxy().signalCode === null;
  const agent = new http.Agent();
  const during = lives ? (await ask(mesh.gatewayPort, "/served", agent).catch(() => undefined))?.status : undefined;
  stop();
  const after =
    lives &&
    (await eventually("it serves again", async () => (await ask(mesh.gatewayPort, "/served", agent)).status === 200, 30_000).catch(
      () => false,
    ));
  return [
    told("requests that wait for ever, asked", asked),
    atLeast("of them, or of their connections, refused for memory", refused, 1),
    told("another one meanwhile", during ?? "no answer"),
    { name: "it lives", value: String(lives), good: lives },
    { name: "serves again when they are gone", value: String(after), good: after },
  ];
}

export const overload: SoakRow = {
  number: 22,
  title: "three times as many requests as can be served, and more than there is memory for",
  async run(context) {
    const load = await onOneBackend(context, { matchesBefore: COSTLY }, (stage) => tooManyRequests(context, stage));
    const waits = {
      maxHeapMiB: 48,
      matchesBefore: ["[{uri: {exact: /served}}]"],
      rule: "fault: {delay: {percentage: {value: 100}, fixedDelay: 600s}}",
      untried: true,
    };
    return [...load, ...(await onOneBackend(context, waits, (stage) => tooLittleMemory(context, stage)))];
  },
};
