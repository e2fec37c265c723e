// The proxy as a whole: bootstrap → xDS client → runtime config → data plane, and the admin endpoint beside it.
import { appendFile } from "node:fs/promises";
import { type Clock, type Logger, type Rng, systemClock, systemRng, TYPE_URL } from "../kit/index.ts";
import { startAdminServer } from "./admin/admin-server.ts";
import { renderClusters, renderConfigDump, renderListeners } from "./admin/render-config.ts";
import { createXdsStats } from "./admin/xds-stats.ts";
import type { BootstrapConfig } from "./bootstrap/parse-bootstrap.ts";
import { type AdsClient, createAdsClient } from "./client/ads-client.ts";
import { createResourceStore } from "./client/resource-store.ts";
import { createRuntimeCell } from "./config/index.ts";
import { createDataPlane } from "./data-plane.ts";
import type { AccessLogSink } from "./observe/access-log.ts";
import { createStats } from "./observe/stats.ts";

export interface ProxyOptions {
  readonly bootstrap: BootstrapConfig;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** POST /quitquitquit. */
  readonly onQuit?: () => void;
}

export interface RunningProxy {
  readonly adminPort: number | undefined;
  ready(): boolean;
  /** No new connections; resolves when the open ones are done or the limit is over. */
  drain(limitMs: number): Promise<void>;
  stop(): void;
}

/** Envoy's default: without an answer for so long, initialization goes on without it. */
const INITIAL_FETCH_MS = 15_000;
const DRAIN_IDLE_MS = 300;

const fileSink: AccessLogSink = {
  write(path, lines) {
    if (path === "/dev/stdout") process.stdout.write(lines, "latin1");
    else if (path === "/dev/stderr") process.stderr.write(lines, "latin1");
    else void appendFile(path, lines, "latin1").catch((error: unknown) => process.stderr.write(`access log ${path}: ${String(error)}\n`));
  },
};

export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { bootstrap, logger } = options;
  const clock = options.clock ?? systemClock;
  const rng = options.rng ?? systemRng;
  const started = clock.now();
  const stats = createStats();
  const xdsStats = createXdsStats(stats);
  const runtime = createRuntimeCell();
  const plane = createDataPlane({ runtime, stats, accessLog: fileSink, clock, rng, logger });
  const store = createResourceStore({ runtime, wall: () => clock.wall(), statics: bootstrap.statics });
  let draining = false;

  function count(): void {
    const { clusters, listeners } = store.warming();
    const current = runtime.current();
    xdsStats.set({
      activeClusters: current.clusters.size,
      warmingClusters: clusters.length,
      activeListeners: current.listeners.size,
      warmingListeners: listeners.length,
    });
  }

  // Static resources stand from the start.
  store.update(TYPE_URL.cluster, [], []);
  count();
  let client: AdsClient | undefined;
  if (bootstrap.ads !== undefined) {
    client = createAdsClient({
      ...bootstrap.ads,
      node: bootstrap.node,
      store,
      clock,
      rng,
      logger,
      onUpdate(typeUrl, refused) {
        xdsStats.updated(typeUrl, refused !== undefined);
        count();
      },
      onConnection: (yes) => xdsStats.connected(yes),
    });
  }

  function initialized(): boolean {
    if (client === undefined) return true;
    const { clusters, listeners } = store.warming();
    return (client.initialized() && clusters.length === 0 && listeners.length === 0) || clock.now() - started > INITIAL_FETCH_MS;
  }

  const state = (): string => (draining ? "DRAINING" : !initialized() ? "PRE_INITIALIZING" : plane.settled() ? "LIVE" : "INITIALIZING");

  async function drain(limitMs: number): Promise<void> {
    draining = true;
    await plane.drain({ limitMs, idleMs: DRAIN_IDLE_MS });
  }

  const admin =
    bootstrap.admin === undefined
      ? undefined
      : await startAdminServer(bootstrap.admin, {
          stats,
          state,
          clusters: () => renderClusters(plane),
          listeners: () => renderListeners(plane),
          configDump: (dump) => renderConfigDump(store, dump),
          serverInfo: () => ({
            version: "serin",
            state: state(),
            node: { id: bootstrap.node.id, cluster: bootstrap.node.cluster },
            uptime_current_epoch: `${Math.round((clock.now() - started) / 1000)}s`,
          }),
          drain: () => plane.startDraining(),
          quit: () => options.onQuit?.(),
        });
  return {
    adminPort: admin?.port,
    ready: () => state() === "LIVE",
    drain,
    stop() {
      client?.stop();
      admin?.stop();
      plane.stop();
    },
  };
}
