// The whole proxy: bootstrap → xDS client → runtime config → data plane → admin endpoint.
import { type Clock, type Logger, type Rng, silentLogger, systemClock, systemRng } from "../kit/index.ts";
import { adminRoutes, type ServerState } from "./admin/routes.ts";
import { type AdminServer, startAdmin } from "./admin/server.ts";
import { type Bootstrap, grpcTarget } from "./bootstrap/bootstrap.ts";
import { createRuntimeCell } from "./config/index.ts";
import { createDataPlane, type DataPlane } from "./data-plane.ts";
import { createLogFiles } from "./observe/log-files.ts";
import { createStats, type Stats } from "./observe/stats.ts";
import { OverloadManager, processVitals } from "./overload/index.ts";
import { createClusterNames } from "./upstream/dns/cluster-names.ts";
import { createResolvers } from "./upstream/dns/dns-resolver.ts";
import { startAdsClient } from "./xds/ads-client.ts";
import { createAssembler } from "./xds/assembler.ts";
import { DELTA } from "./xds/delta.ts";
import { createGrpcOpener } from "./xds/grpc-stream.ts";
import { createResourceStore } from "./xds/resource-store.ts";
import { createSdsClients } from "./xds/sds-clients.ts";
import { STATE_OF_THE_WORLD } from "./xds/state-of-the-world.ts";
import { createXdsStats } from "./xds/xds-stats.ts";

export interface ProxyOptions {
  readonly bootstrap: Bootstrap;
  readonly clock?: Clock;
  readonly rng?: Rng;
  readonly logger?: Logger;
  /** What still runs after so long when the proxy drains is cut. */
  readonly drainLimitMs?: number;
  /** /quitquitquit was asked for. */
  readonly onQuit?: () => void;
}

export interface Proxy {
  /** undefined = the bootstrap has no admin endpoint. */
  readonly adminPort: number | undefined;
  readonly plane: DataPlane;
  readonly stats: Stats;
  state(): ServerState;
  /** No new connections; resolves when nothing runs any more, or the limit is over. */
  drain(): Promise<void>;
  stop(): void;
}

const DRAIN_LIMIT_MS = 45_000;
/** A request that was on its way when the drain began still finds the connection open. */
const DRAIN_IDLE_MS = 1000;

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { bootstrap, clock = systemClock, rng = systemRng, logger = silentLogger } = options;
  const startedAt = clock.wall();
  const startedNow = clock.now();
  for (const warning of bootstrap.warnings) logger.log("warn", warning);
  const cell = createRuntimeCell();
  const stats = createStats();
  const store = createResourceStore(clock);
  const xdsStats = createXdsStats(stats);
  const sds = createSdsClients({
    open(cluster) {
      const target = grpcTarget(bootstrap, cluster);
      return target === undefined ? undefined : createGrpcOpener(target);
    },
    node: bootstrap.node,
    stats: xdsStats,
    clock,
    rng,
    logger,
    onUpdate() {
      client?.refresh();
      state();
    },
  });
  const resolverFor = createResolvers();
  const names = createClusterNames({ resolverFor, clock, rng, stats });
  const assembler = createAssembler({
    names,
    store,
    fixed: bootstrap,
    secretOf(source, name) {
      if (source === "static") return bootstrap.secrets.find((secret) => secret.name === name);
      return (source === "ads" ? store : sds.store(source))?.entries("secret").get(name)?.accepted?.value;
    },
    cell,
    clock,
  });
  xdsStats.assembled(assembler.current());
  const logFiles = createLogFiles(logger);
  const overload = new OverloadManager({ config: bootstrap.overload, vitals: processVitals(), stats, clock, rng, logger });
  overload.start();
  const { locality, localCluster } = bootstrap;
  const about = { overload, resolverFor, names, locality, localCluster };
  const plane = createDataPlane({ runtime: cell, stats, accessLog: logFiles, clock, rng, logger, ...about });
  const { ads } = bootstrap;
  const client =
    ads === undefined
      ? undefined
      : startAdsClient({
          open: createGrpcOpener(ads.target),
          variant: ads.delta ? DELTA : STATE_OF_THE_WORLD,
          node: bootstrap.node,
          store,
          assembler,
          stats: xdsStats,
          clock,
          rng,
          logger,
          wants: ads,
          reconnect: ads.reconnect,
          onUpdate() {
            sds.follow(assembler);
            state();
          },
        });
  sds.follow(assembler);
  names.subscribe((_, warmed) => {
    if (!warmed) return;
    assembler.update();
    client?.refresh();
    state();
  });
  let draining: Promise<void> | undefined;
  let failing = false;
  let live = false;

  /** Live once the first config is in force and its listeners are open; from then on until it drains. */
  function state(): ServerState {
    if (draining !== undefined || failing) return "DRAINING";
    if (live) return "LIVE";
    const overdue = ads !== undefined && ads.timeoutMs > 0 && clock.now() - startedNow > ads.timeoutMs;
    if (client !== undefined && !client.initialized() && !overdue) return "PRE_INITIALIZING";
    const { warmingClusters, warmingListeners } = assembler.current();
    if ((warmingClusters.size > 0 || warmingListeners.size > 0) && !overdue) return "INITIALIZING";
    if (!plane.settled()) return "INITIALIZING";
    live = true;
    return "LIVE";
  }

  function drain(): Promise<void> {
    draining ??= plane.drain({ limitMs: options.drainLimitMs ?? DRAIN_LIMIT_MS, idleMs: DRAIN_IDLE_MS });
    return draining;
  }

  let admin: AdminServer | undefined;

  function stop(): void {
    client?.stop();
    sds.stop();
    assembler.stop();
    overload.stop();
    plane.stop();
    admin?.stop();
    logFiles.reopen();
  }

  if (bootstrap.admin !== undefined) {
    const fixedClusters = new Set(bootstrap.clusters.map(({ name }) => name));
    try {
      admin = await startAdmin(
        bootstrap.admin,
        adminRoutes({
          plane,
          stats,
          store,
          secretStores: () => [...sds.stores().values()],
          bootstrap: bootstrap.source,
          node: bootstrap.node,
          isStaticCluster: (name) => fixedClusters.has(name),
          startedAt,
          assembly: () => assembler.current(),
          state,
          uptimeMs: () => clock.now() - startedNow,
          drain: () => void drain(),
          startDraining() {
            failing = true;
            plane.startDraining();
          },
          reopenLogs: () => logFiles.reopen(),
          quit: () => options.onQuit?.(),
        }),
      );
    } catch (error) {
      stop();
      throw error;
    }
  }

  return { adminPort: admin?.port, plane, stats, state, drain, stop };
}
