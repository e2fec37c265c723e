// npm run bench -- price [--only serin,envoy] [--protocols http1,http2] [--features retry,mirror] [--seconds 1] [--rounds 5]
// What each feature costs a route that uses it: requests per CPU-second with it, over those of the base route. One process of each proxy has
// all features, each behind a listener of its own; they take turns, and so do the proxies. A feature is compared with the base just before and after it.
import net from "node:net";
import { parseArgs } from "node:util";
import { bootstrap, type Protocol } from "../bootstrap.ts";
import { createScratch, envoyLike } from "../candidate.ts";
import { startHttp2Backend } from "../http2/backend.ts";
import { runHttp2Load } from "../http2/load.ts";
import { type LoadResult, median, type Running, startCandidates, stopAll, takeSample } from "../measure.ts";
import { startBackend } from "../proxy/backend.ts";
import { runLoad } from "../proxy/load.ts";
import { BASE, callerHeaders, clustersOf, type Feature, FEATURES, filterOf } from "./features.ts";

interface Kind {
  readonly title: string;
  startBackend(count: number): Promise<{ readonly ports: readonly number[]; stop(): void }>;
  load(port: number, ms: number): Promise<LoadResult>;
}

const KINDS: Readonly<Record<Protocol, Kind>> = {
  http1: {
    title: "HTTP/1.1, 100 B, 32 connections",
    startBackend,
    load: (port, ms) => runLoad({ port, connections: 32, size: 100, ms, headers: callerHeaders }),
  },
  http2: {
    title: "HTTP/2, GET, 8 connections × 10 streams",
    startBackend: startHttp2Backend,
    load: (port, ms) => runHttp2Load({ port, connections: 8, streams: 10, ms, kind: "get", headers: callerHeaders }),
  },
};

/** So many features are measured between two looks at the base, which the machine's speed of the moment is known by. */
const GROUP = 4;

interface Price {
  readonly rates: number[];
  readonly ratios: number[];
  failed: number;
}

type Prices = ReadonlyMap<Running, ReadonlyMap<Feature, Price>>;

interface Timing {
  readonly seconds: number;
  readonly rounds: number;
}

function listensAt(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = net.createServer();
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

/** Ports below those that outgoing connections are given: nobody takes one of them until its listener opens. */
async function portsFor(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = 10_000 + Math.floor(Math.random() * 20_000); ports.length < count; port++) if (await listensAt(port)) ports.push(port);
  return ports;
}

type Load = (proxy: Running, feature: Feature) => Promise<LoadResult>;

/** What every proxy does with one feature, in turns. */
async function playAll(prices: Prices, feature: Feature, load: Load): Promise<ReadonlyMap<Running, number>> {
  const rates = new Map<Running, number>();
  for (const [proxy, of] of prices) {
    const { perCpuSecond, failed } = await takeSample(proxy, () => load(proxy, feature));
    rates.set(proxy, perCpuSecond);
    const price = of.get(feature);
    if (price !== undefined) price.failed += failed;
  }
  return rates;
}

async function playRound(prices: Prices, features: readonly Feature[], load: Load): Promise<void> {
  let before = await playAll(prices, BASE, load);
  for (let from = 0; from < features.length; from += GROUP) {
    const group: (readonly [Feature, ReadonlyMap<Running, number>])[] = [];
    for (const feature of features.slice(from, from + GROUP)) group.push([feature, await playAll(prices, feature, load)]);
    const after = await playAll(prices, BASE, load);
    for (const [proxy, of] of prices) {
      const base = ((before.get(proxy) ?? 0) + (after.get(proxy) ?? 0)) / 2;
      for (const [feature, rate] of [[BASE, base] as const, ...group.map(([one, rates]) => [one, rates.get(proxy) ?? 0] as const)]) {
        // A proxy that a busy machine never let run says nothing.
        if (!(rate > 0 && base > 0 && Number.isFinite(rate + base))) continue;
        of.get(feature)?.rates.push(rate);
        of.get(feature)?.ratios.push(rate / base);
      }
    }
    before = after;
  }
}

function emptyPrices(running: readonly Running[], features: readonly Feature[]): Prices {
  const empty = (): Price => ({ rates: [], ratios: [], failed: 0 });
  return new Map(running.map((proxy) => [proxy, new Map([BASE, ...features].map((feature) => [feature, empty()]))]));
}

async function measure(protocol: Protocol, features: readonly Feature[], only: string, timing: Timing): Promise<void> {
  const kind = KINDS[protocol];
  const all = [BASE, ...features];
  const scratch = createScratch();
  const backend = await kind.startBackend(3);
  const spare = await portsFor(2 * features.length);
  const listens = new Map<number, readonly number[]>();
  const candidates = envoyLike(scratch, (port) => {
    const ports = [port, ...spare.splice(0, features.length)];
    listens.set(port, ports);
    const listeners = all.map((feature, i) => ({ name: `in-${i}`, port: ports[i] ?? 0, filter: filterOf(feature, i) }));
    return bootstrap(listeners, clustersOf(all, backend.ports, protocol));
  });
  const load: Load = (proxy, feature) => kind.load(listens.get(proxy.port)?.[all.indexOf(feature)] ?? 0, timing.seconds * 1000);
  let running: readonly Running[] = [];
  try {
    running = await startCandidates(candidates, only);
    // The first round warms up.
    await playRound(emptyPrices(running, features), features, load);
    const prices = emptyPrices(running, features);
    for (let round = 0; round < timing.rounds; round++) await playRound(prices, features, load);
    print(kind.title, all, prices);
  } finally {
    stopAll(running);
    backend.stop();
    scratch.remove();
  }
}

function print(title: string, features: readonly Feature[], prices: Prices): void {
  console.log(`\n${title}: req/CPU-s, and over those of the base around it`);
  console.log(`  ${"feature".padEnd(56)}${[...prices.keys()].map(({ name }) => `${name.padStart(10)}  ÷ base`).join("")}   failed`);
  for (const feature of features) {
    const all = [...prices.values()].flatMap((of) => of.get(feature) ?? []);
    const cells = all.map(
      ({ rates, ratios }) => `${Math.round(median(rates)).toLocaleString("en").padStart(10)}${median(ratios).toFixed(2).padStart(8)}`,
    );
    const failed = all.reduce((sum, price) => sum + price.failed, 0);
    console.log(`  ${feature.name.padEnd(56)}${cells.join("")}${String(failed).padStart(9)}`);
  }
}

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "serin,envoy" },
      protocols: { type: "string", default: "http1,http2" },
      features: { type: "string", default: "" },
      seconds: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
    },
  });
  const words = values.features.split(",");
  const features = FEATURES.filter(({ name }) => words.some((word) => name.includes(word)));
  for (const protocol of values.protocols.split(",") as Protocol[]) {
    await measure(protocol, features, values.only, { seconds: Number(values.seconds), rounds: Number(values.rounds) });
  }
}
