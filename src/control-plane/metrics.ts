// The control plane's own metrics for Prometheus: what it holds, how long a turn takes, who is connected and who refuses.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Turn } from "./pipeline.ts";

export interface Metrics {
  observeTurn(turn: Turn): void;
  readNow(): Promise<{ readonly text: string; readonly contentType: string }>;
}

export interface MetricSources {
  readonly resources: () => Readonly<Record<string, number>>;
  readonly revision: () => number;
  readonly proxies: () => readonly { readonly type: string; readonly protocol: string; readonly refusing: boolean }[];
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const turns = new Histogram({
    name: "serin_pipeline_turn_seconds",
    help: "Time from the start of a turn until every stream has its config.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const affected = new Counter({
    name: "serin_pipeline_configs_changed_total",
    help: "Configs handed to streams that differed from the one before.",
    registers,
  });
  new Gauge({
    name: "serin_store_revision",
    help: "Revision of the store.",
    registers,
    collect() {
      this.set(sources.revision());
    },
  });
  new Gauge({
    name: "serin_resources",
    help: "Resources by kind.",
    labelNames: ["kind"],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of Object.entries(sources.resources())) this.set({ kind }, count);
    },
  });
  new Gauge({
    name: "serin_proxies_connected",
    help: "Connected proxies by type and protocol.",
    labelNames: ["type", "protocol"],
    registers,
    collect() {
      this.reset();
      for (const { type, protocol } of sources.proxies()) this.inc({ type, protocol });
    },
  });
  new Gauge({
    name: "serin_proxies_refusing",
    help: "Proxies that refuse a part of their config.",
    registers,
    collect() {
      this.set(sources.proxies().filter((proxy) => proxy.refusing).length);
    },
  });
  return {
    observeTurn(turn) {
      turns.observe(turn.ms / 1000);
      affected.inc(turn.affected);
    },
    async readNow() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
