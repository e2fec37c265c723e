// Envoy's overload manager: watches memory, connections and the event loop, and refuses before the process is lost. Names of statistics as Envoy's:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager
import type { Clock, Logger, Rng } from "../../kit/index.ts";
import {
  LOAD_SHED_POINTS,
  type LoadShedPoint,
  OVERLOAD_ACTIONS,
  type OverloadAction,
  type OverloadConfig,
  type OverloadTrigger,
  RESOURCE_MONITORS,
  type ResourceMonitor,
} from "../config/index.ts";
import type { Counter, Gauge, Stats } from "../observe/stats.ts";
import { LoadShedder } from "./load-shedder.ts";
import type { ConnectionRefusal, Overload } from "./overload.ts";
import type { LoopTotals, Vitals } from "./vitals.ts";

/** While something may run short: a second is long when memory goes. */
const CLOSE_LOOK_MS = 100;
const BUSY = 0.8;
const TIGHT = 0.7;
/** As Envoy: shrinking is tried again after so long. */
const SHRINK_MS = 10_000;

export interface OverloadManagerOptions {
  readonly config: OverloadConfig;
  readonly vitals: Vitals;
  readonly stats: Stats;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

type Pressure = Readonly<Record<ResourceMonitor, number>>;

interface Shown {
  readonly active: Gauge;
  readonly percent: Gauge;
}

export class OverloadManager implements Overload {
  shedding = false;
  connections = 0;
  private readonly options: OverloadManagerOptions;
  private readonly shedder = new LoadShedder();
  private readonly pressure: Readonly<Record<ResourceMonitor | "event_loop", Gauge>>;
  private readonly actions: Readonly<Record<OverloadAction, Shown>>;
  private readonly points: Readonly<Record<LoadShedPoint, { readonly percent: Gauge; readonly count: Counter }>>;
  private readonly shrinks: Counter;
  private readonly limitRefusals: Counter;
  /** By action and point: 0 = nothing to do, 1 = all of it. */
  private readonly state: Record<OverloadAction | LoadShedPoint, number> = {
    shrink_heap: 0,
    stop_accepting_requests: 0,
    reject_incoming_connections: 0,
    http_connection_manager_decode_headers: 0,
    tcp_listener_accept: 0,
  };
  private last: LoopTotals;
  private lastAt: number;
  private shrunkAt = Number.NEGATIVE_INFINITY;
  private cancel: (() => void) | undefined = undefined;

  constructor(options: OverloadManagerOptions) {
    this.options = options;
    const { stats, vitals, clock } = options;
    const spec = (name: string) => ({ name: `overload.${name}`, tags: {}, fullName: `overload.${name}` });
    const gauge = (name: string): Gauge => stats.gauge(spec(name));
    const counter = (name: string): Counter => stats.counter(spec(name));
    this.pressure = {
      fixed_heap: gauge("envoy.resource_monitors.fixed_heap.pressure"),
      global_downstream_max_connections: gauge("envoy.resource_monitors.global_downstream_max_connections.pressure"),
      process_memory: gauge("serin.resource_monitors.process_memory.pressure"),
      event_loop: gauge("serin.resource_monitors.event_loop.pressure"),
    };
    const shown = (name: string): Shown => ({ active: gauge(`${name}.active`), percent: gauge(`${name}.scale_percent`) });
    this.actions = record(OVERLOAD_ACTIONS, (action) => shown(`envoy.overload_actions.${action}`));
    this.points = record(LOAD_SHED_POINTS, (point) => ({
      percent: gauge(`envoy.load_shed_points.${point}.scale_percent`),
      count: counter(`envoy.load_shed_points.${point}.shed_load_count`),
    }));
    this.shrinks = counter("envoy.overload_actions.shrink_heap.shrink_count");
    this.limitRefusals = counter("envoy.resource_monitors.global_downstream_max_connections.failed_updates");
    this.last = vitals.loop();
    this.lastAt = clock.now();
  }

  start(): void {
    this.schedule(this.options.config.refreshMs);
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  refusesRequest(): boolean {
    const { state, shedder, points, options } = this;
    if (state.stop_accepting_requests >= 1) return true;
    const chance = options.rng.random();
    if (chance >= state.http_connection_manager_decode_headers && !shedder.refuses(chance)) return false;
    points.http_connection_manager_decode_headers.count.value++;
    return true;
  }

  refusal(limitless: boolean): ConnectionRefusal | undefined {
    const { state, points, options } = this;
    const { maxConnections } = options.config;
    if (!limitless && maxConnections !== undefined && this.connections >= maxConnections) {
      this.limitRefusals.value++;
      return "limit";
    }
    const share = Math.max(state.reject_incoming_connections, state.tcp_listener_accept);
    if (share === 0) return undefined;
    const chance = options.rng.random();
    if (chance >= share) return undefined;
    if (chance < state.tcp_listener_accept) points.tcp_listener_accept.count.value++;
    return "overload";
  }

  private schedule(ms: number): void {
    this.cancel = this.options.clock.after(ms, () => this.look());
  }

  private look(): void {
    const { config } = this.options;
    const busy = this.lookAtLoop();
    const pressure = this.lookAtResources();
    const close = busy > BUSY || pressure > TIGHT || this.shedding;
    this.schedule(close ? Math.min(CLOSE_LOOK_MS, config.refreshMs) : config.refreshMs);
  }

  private lookAtLoop(): number {
    const { vitals, clock } = this.options;
    const next = vitals.loop();
    const now = clock.now();
    const busyMs = next.busyMs - this.last.busyMs;
    const busy = busyMs / Math.max(1, busyMs + next.idleMs - this.last.idleMs);
    const turnMs = busyMs / Math.max(1, next.turns - this.last.turns);
    this.shedder.sample({ elapsedMs: now - this.lastAt, busy, turnMs });
    this.last = next;
    this.lastAt = now;
    this.pressure.event_loop.value = Math.round(busy * 100);
    return busy;
  }

  /** The highest pressure. */
  private lookAtResources(): number {
    const pressure = this.measure();
    this.decide(pressure);
    if (this.state.shrink_heap > 0 && this.lastAt - this.shrunkAt >= SHRINK_MS) {
      this.shrunkAt = this.lastAt;
      this.shrinks.value++;
      this.options.vitals.collectGarbage();
      // What is garbage is no reason to refuse anything.
      this.decide(this.measure());
    }
    return Math.max(...RESOURCE_MONITORS.map((monitor) => pressure[monitor]));
  }

  private measure(): Pressure {
    const { config, vitals } = this.options;
    const { usedBytes, ofLimit } = vitals.memory();
    const of = (value: number, limit: number | undefined): number => (limit === undefined ? 0 : value / limit);
    const pressure: Pressure = {
      fixed_heap: of(usedBytes, config.maxHeapBytes),
      global_downstream_max_connections: of(this.connections, config.maxConnections),
      process_memory: ofLimit,
    };
    for (const monitor of RESOURCE_MONITORS) this.pressure[monitor].value = percent(pressure[monitor]);
    return pressure;
  }

  private decide(pressure: Pressure): void {
    const { config, logger } = this.options;
    const { state, shedder, points, actions } = this;
    for (const action of OVERLOAD_ACTIONS) {
      const value = stateOf(config.actions[action], pressure);
      if (value >= 1 !== state[action] >= 1)
        logger.log("warn", value >= 1 ? "overload action begins" : "overload action ends", {
          action,
          fixedHeap: percent(pressure.fixed_heap),
          processMemory: percent(pressure.process_memory),
        });
      state[action] = value;
      actions[action].active.value = value >= 1 ? 1 : 0;
      actions[action].percent.value = percent(value);
    }
    for (const point of LOAD_SHED_POINTS) {
      state[point] = stateOf(config.shedPoints[point], pressure);
      points[point].percent.value = percent(state[point]);
    }
    const share = Math.max(state.http_connection_manager_decode_headers, shedder.share);
    points.http_connection_manager_decode_headers.percent.value = percent(share);
    const shedding = state.stop_accepting_requests >= 1 || share > 0;
    if (shedding !== this.shedding) logger.log("warn", shedding ? "requests are being refused" : "requests are no longer refused", {});
    this.shedding = shedding;
  }
}

function stateOf(triggers: readonly OverloadTrigger[], pressure: Pressure): number {
  let state = 0;
  for (const { monitor, scaling, saturation } of triggers) {
    const value = pressure[monitor];
    if (value >= saturation) return 1;
    if (value > scaling) state = Math.max(state, (value - scaling) / (saturation - scaling));
  }
  return state;
}

function percent(share: number): number {
  return Math.floor(share * 100);
}

function record<K extends string, V>(keys: readonly K[], make: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, V>;
}
