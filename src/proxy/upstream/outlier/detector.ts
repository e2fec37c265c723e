// Passive health checking: hosts that fail more than they may are taken out for a while, longer each time, and come back by themselves.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
import type { Clock, Logger, Rng } from "../../../kit/index.ts";
import type { ConsecutiveKind, OutlierDetection } from "../../config/index.ts";
import type { Host } from "../host.ts";
import { HostMonitor, type SuccessRate } from "./host-monitor.ts";
import type { EjectionKind, OutlierStats } from "./outlier-stats.ts";
import { findSuccessRateOutliers } from "./success-rate.ts";

export interface DetectorContext {
  readonly cluster: string;
  readonly config: OutlierDetection;
  readonly stats: OutlierStats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** A host was taken out or came back. */
  onChange(): void;
}

export interface Detector {
  /** The hosts of the moment: new ones are watched, those that left are forgotten. */
  follow(hosts: Iterable<Host>): void;
  stop(): void;
}

const KIND: Readonly<Record<ConsecutiveKind, EjectionKind>> = {
  "5xx": "consecutive_5xx",
  gateway_failure: "consecutive_gateway_failure",
  local_origin_failure: "consecutive_local_origin_failure",
};

export function createDetector(context: DetectorContext): Detector {
  const { config, stats, clock, rng, logger } = context;
  const watched = new Map<Host, HostMonitor>();
  let cancel = clock.after(config.intervalMs, onInterval);
  let stopped = false;

  function watch(host: Host): HostMonitor {
    const monitor = new HostMonitor(config, (kind) => {
      if (stopped || !watched.has(host)) return;
      if (!host.ejected) {
        stats.detected[KIND[kind]].value++;
        eject(host, monitor, { kind: KIND[kind], enforcing: config.consecutive[kind].enforcing });
        monitor.forgive(kind);
      }
    });
    return monitor;
  }

  function forget(host: Host): void {
    watched.delete(host);
    host.outlier = undefined;
    if (!host.ejected) return;
    host.ejected = false;
    stats.active.value--;
  }

  function ejectionMs(monitor: HostMonitor): number {
    return Math.min(config.baseEjectionMs * monitor.backoff, config.maxEjectionMs) + monitor.jitterMs;
  }

  function eject(host: Host, monitor: HostMonitor, cause: { kind: EjectionKind; enforcing: number }): void {
    const { kind, enforcing } = cause;
    const share = (100 * (stats.active.value + 1)) / watched.size;
    if (share > Math.min(100, config.maxEjectionPercent) && !(config.alwaysEjectOneHost && stats.active.value === 0)) {
      stats.overflow.value++;
      return;
    }
    const enforced = enforcing > 0 && rng.random() * 100 < enforcing;
    const facts = { cluster: context.cluster, host: host.name, kind };
    if (!enforced) {
      logger.log("info", "outlier seen, not ejected", facts);
      return;
    }
    stats.active.value++;
    stats.enforcedTotal.value++;
    stats.enforced[kind].value++;
    host.ejected = true;
    monitor.ejections++;
    monitor.ejectedAt = clock.now();
    monitor.jitterMs = Math.floor(rng.random() * (config.maxEjectionJitterMs + 1));
    if (monitor.backoff * config.baseEjectionMs < config.maxEjectionMs + config.baseEjectionMs) monitor.backoff++;
    logger.log("info", "host ejected", { ...facts, ejections: monitor.ejections, forMs: ejectionMs(monitor) });
    context.onChange();
  }

  function readmit(host: Host, monitor: HostMonitor, now: number): void {
    stats.active.value--;
    host.ejected = false;
    // Otherwise the counter that did not trip could do so at the next error.
    monitor.forgiveAll();
    monitor.returnedAt = now;
    logger.log("info", "host back after ejection", { cluster: context.cluster, host: host.name });
    context.onChange();
  }

  function checkRates(rateOf: (monitor: HostMonitor) => SuccessRate, local: boolean): void {
    const rates = [...watched].flatMap(([host, monitor]) => {
      const rate = rateOf(monitor);
      return host.ejected || rate.percent === undefined ? [] : [{ host, monitor, percent: rate.percent, volume: rate.volume }];
    });
    for (const { outlier, kind, enforcing } of findSuccessRateOutliers(rates, { config, local, hosts: watched.size })) {
      stats.detected[kind].value++;
      if (!outlier.host.ejected) eject(outlier.host, outlier.monitor, { kind, enforcing });
    }
  }

  function onInterval(): void {
    const now = clock.now();
    for (const [host, monitor] of watched) {
      if (host.ejected && ejectionMs(monitor) <= now - monitor.ejectedAt) readmit(host, monitor, now);
      monitor.external.turn();
      monitor.localOrigin.turn();
    }
    checkRates((monitor) => monitor.external, false);
    checkRates((monitor) => monitor.localOrigin, true);
    for (const [host, monitor] of watched) {
      if (host.ejected || monitor.returnedAt === undefined) continue;
      if (now - monitor.returnedAt >= config.intervalMs && monitor.backoff > 0) monitor.backoff--;
    }
    cancel = clock.after(config.intervalMs, onInterval);
  }

  return {
    follow(hosts) {
      const current = new Set(hosts);
      for (const host of watched.keys()) if (!current.has(host)) forget(host);
      for (const host of current) {
        if (watched.has(host)) continue;
        const monitor = watch(host);
        watched.set(host, monitor);
        host.outlier = monitor;
      }
    },
    stop() {
      stopped = true;
      cancel();
      for (const host of watched.keys()) forget(host);
    },
  };
}
