// The data plane as a whole: follows the runtime config with clusters and listeners, until it is drained or stopped.
import { networkInterfaces } from "node:os";
import { type Clock, type Logger, type Rng, silentLogger } from "../kit/index.ts";
import type { RuntimeCell } from "./config/index.ts";
import { createListenerManager, type ListenerStatus } from "./listener/listener-manager.ts";
import type { Environment } from "./network/environment.ts";
import { createTimerWheel } from "./network/timer-wheel.ts";
import { type AccessLogSink, createAccessLogs } from "./observe/access-log.ts";
import type { Stats } from "./observe/stats.ts";
import { noOverload, type Overload } from "./overload/index.ts";
import { createTlsContexts } from "./transport/tls-contexts.ts";
import { type ClusterStatus, createClusterManager } from "./upstream/cluster-manager.ts";
import { type ClusterNames, createClusterNames } from "./upstream/dns/cluster-names.ts";
import { createDnsCaches } from "./upstream/dns/dns-cache.ts";
import { createResolvers, type ResolverFor } from "./upstream/dns/dns-resolver.ts";

export interface DataPlaneOptions {
  readonly runtime: RuntimeCell;
  readonly stats: Stats;
  readonly accessLog: AccessLogSink;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger?: Logger;
  /** What refuses requests and connections when there are too many; nothing does when it is not given. */
  readonly overload?: Overload;
  /** How names are looked up; by the system's hosts file and DNS servers when it is not given. */
  readonly resolverFor?: ResolverFor;
  /** Endpoints that are names; made here when it is not given. Stops with the plane. */
  readonly names?: ClusterNames;
  /** `region/zone/sub_zone` of this proxy; "" when it is not known. */
  readonly locality?: string;
  /** Name of the cluster that this proxy is itself an endpoint of; "" or undefined = none. */
  readonly localCluster?: string;
  /** Stands in x-forwarded-for for a peer on loopback; this machine's own address when it is not given. */
  readonly localAddress?: string;
}

export interface DrainOptions {
  /** Whatever still runs then is cut. */
  readonly limitMs: number;
  /** Idle connections may still bring a request for so long, which is answered. */
  readonly idleMs: number;
}

export interface DataPlane {
  listeners(): readonly ListenerStatus[];
  clusters(): readonly ClusterStatus[];
  /** Every listener that is to be bound is open. */
  settled(): boolean;
  /** Answers say `connection: close` from now on; connections are still accepted. */
  startDraining(): void;
  /** No new connections, answers say `connection: close`; resolves when nothing runs any more or the limit is over. */
  drain(options: DrainOptions): Promise<void>;
  stop(): void;
}

const DRAIN_LOOK_MS = 20;

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { clock, rng, stats } = options;
  const wheel = createTimerWheel(clock);
  const accessLogs = createAccessLogs({ sink: options.accessLog, clock });
  const logger = options.logger ?? silentLogger;
  const tls = createTlsContexts({ secrets: () => options.runtime.current().secrets, logger });
  const { locality = "", localCluster = "", resolverFor = createResolvers() } = options;
  const caches = createDnsCaches({ resolverFor, clock, rng, stats });
  const context = { stats, names: caches, clock, rng, wheel, tls, logger, locality, localCluster };
  const names = options.names ?? createClusterNames({ resolverFor, clock, rng, stats });
  const clusters = createClusterManager(options.runtime, context, names);
  let draining = false;
  let offset = clock.wall() - clock.now();
  let dateUntil = Number.NEGATIVE_INFINITY;
  let date = "";

  const env: Environment = {
    runtime: options.runtime,
    clusters,
    tls,
    stats,
    accessLogs,
    clock,
    rng,
    wheel,
    overload: options.overload ?? noOverload(),
    logger,
    localAddress: options.localAddress ?? ownAddress(),
    wallOffset: () => offset,
    dateLine(now) {
      if (now >= dateUntil) {
        const wall = clock.wall();
        offset = wall - now;
        dateUntil = now + 1000 - (wall % 1000);
        date = `date: ${new Date(wall).toUTCString()}\r\n`;
      }
      return date;
    },
    draining: () => draining,
  };
  const listeners = createListenerManager(env);

  function stop(): void {
    listeners.stop();
    clusters.stop();
    names.stop();
    caches.stop();
    wheel.stop();
    accessLogs.flush();
  }

  return {
    listeners: () => listeners.status(),
    clusters: () => clusters.status(),
    settled: () => listeners.settled(),
    startDraining() {
      draining = true;
    },
    async drain({ limitMs, idleMs }) {
      draining = true;
      listeners.stopAccepting();
      const start = clock.now();
      while (listeners.open() > 0 && clock.now() - start < limitMs) {
        if (clock.now() - start >= idleMs) listeners.drainConnections();
        await new Promise<void>((done) => void clock.after(DRAIN_LOOK_MS, done));
      }
      accessLogs.flush();
    },
    stop,
  };
}

/** As Envoy finds it: the first address that is not in 127.0.0.0/8, on whatever interface. */
function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, address } of addresses ?? []) if (family === "IPv4" && !address.startsWith("127.")) return address;
  }
  return "127.0.0.1";
}
