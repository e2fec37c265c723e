// npm run bench -- price [--only serin,envoy] [--protocols http1,http2] [--features retry,mirror] [--seconds 1] [--rounds 5]
// What each feature costs a route that uses it: requests per CPU-second with it, over those of the base route. One process of each proxy has
// all features, each behind a listener of its own; they take turns, and so do the proxies.
import { parseArgs } from "node:util";
import { bootstrap, type Protocol } from "../bootstrap.ts";
import { createScratch, envoyLike } from "../candidate.ts";
import { startHttp2Backend } from "../http2/backend.ts";
import { runHttp2Load } from "../http2/load.ts";
import { type LoadResult, median, type Running, type Sample, startCandidates, stopAll, takeSample } from "../measure.ts";
import { startBackend } from "../proxy/backend.ts";
import { runLoad } from "../proxy/load.ts";
import { freePort } from "../../src/kit/testing/free-port.ts";
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

interface Timing {
  readonly seconds: number;
  readonly rounds: number;
}

/** The port that a proxy was given is the base's; the other features' are asked for beforehand. */
async function portsFor(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function measure(protocol: Protocol, features: readonly Feature[], only: string, timing: Timing): Promise<void> {
  const kind = KINDS[protocol];
  const scratch = createScratch();
  const backend = await kind.startBackend(3);
  const spare = await portsFor(2 * (features.length - 1));
  const listens = new Map<number, readonly number[]>();
  const candidates = envoyLike(scratch, (port) => {
    const first = listens.size * (features.length - 1);
    const ports = [port, ...spare.slice(first, first + features.length - 1)];
    listens.set(port, ports);
    const listeners = features.map((feature, i) => ({ name: `in-${i}`, port: ports[i] ?? 0, filter: filterOf(feature, i) }));
    return bootstrap(listeners, clustersOf(features, backend.ports, protocol));
  });
  let running: readonly Running[] = [];
  try {
    running = await startCandidates(candidates, only);
    for (let round = 0; round <= timing.rounds; round++) {
      for (const [i, feature] of features.entries()) {
        for (const proxy of running) {
          const port = listens.get(proxy.port)?.[i] ?? 0;
          const sample = await takeSample(proxy, () => kind.load(port, timing.seconds * 1000));
          // The first round warms up; a proxy that a busy machine never let run says nothing.
          if (round > 0 && sample.perCpuSecond > 0 && Number.isFinite(sample.perCpuSecond))
            proxy.samples.set(feature.name, [...(proxy.samples.get(feature.name) ?? []), sample]);
        }
      }
    }
    print(kind.title, features, running);
  } finally {
    stopAll(running);
    backend.stop();
    scratch.remove();
  }
}

function print(title: string, features: readonly Feature[], running: readonly Running[]): void {
  const samplesOf = (proxy: Running, feature: Feature): readonly Sample[] => proxy.samples.get(feature.name) ?? [];
  const rate = (proxy: Running, feature: Feature): number => median(samplesOf(proxy, feature).map((s) => s.perCpuSecond));
  console.log(`\n${title}: req/CPU-s, and over the base's`);
  console.log(`  ${"feature".padEnd(56)}${running.map(({ name }) => `${name.padStart(10)}  ÷ base`).join("")}   failed`);
  for (const feature of features) {
    const cells = running.map((proxy) => {
      const value = rate(proxy, feature);
      return `${Math.round(value).toLocaleString("en").padStart(10)}${(value / rate(proxy, BASE)).toFixed(2).padStart(8)}`;
    });
    const failed = running.flatMap((proxy) => samplesOf(proxy, feature)).reduce((sum, s) => sum + s.failed, 0);
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
  const features = [BASE, ...FEATURES.filter(({ name }) => words.some((word) => name.includes(word)))];
  for (const protocol of values.protocols.split(",") as Protocol[]) {
    await measure(protocol, features, values.only, { seconds: Number(values.seconds), rounds: Number(values.rounds) });
  }
}
