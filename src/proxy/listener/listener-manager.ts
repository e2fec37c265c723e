// Follows the runtime config: opens, changes in place and closes listeners; an open connection takes the new config with its next request.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/listeners/lds
import net from "node:net";
import type { Listener, RuntimeConfig } from "../config/index.ts";
import type { Environment } from "../network/environment.ts";
import { ChainHandlers } from "./chain-handlers.ts";
import { type Door, factsAt, factsOf, ListenerConnection, type Open, type Surroundings } from "./connection.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import { createListenerStats } from "./listener-stats.ts";
import { prepareSocket, setSocketMode } from "./unix-socket.ts";

export interface ListenerStatus {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly state: "opening" | "listening" | "failed" | "unbound" | "closed";
  readonly error: string | undefined;
  readonly connections: number;
}

export interface ListenerManager {
  status(): readonly ListenerStatus[];
  /** True when every listener that is to be bound is open (or could not be). */
  settled(): boolean;
  /** No new connections; open ones are asked to go. */
  stopAccepting(): void;
  drainConnections(): void;
  busy(): number;
  open(): number;
  stop(): void;
}

interface Slot extends Door {
  readonly key: string;
  listener: Listener;
  version: number;
  removed: boolean;
  server: net.Server | undefined;
  state: ListenerStatus["state"];
  error: string | undefined;
  port: number;
}

export function createListenerManager(env: Environment): ListenerManager {
  const slots = new Map<string, Slot>();
  const around: Surroundings = { env, handlers: new ChainHandlers(env) };
  let connectionCount = 0;
  let accepting = true;

  function onConnection(slot: Slot, sock: net.Socket): void {
    const { host } = slot.listener.address;
    const peer = isSocketPath(host) ? factsAt(host) : factsOf(sock);
    if (peer === undefined || refused(slot)) sock.destroy();
    else new ListenerConnection(around, slot, { sock, peer, id: ++connectionCount });
  }

  function refused({ listener, stats }: Slot): boolean {
    if (listener.bypassesOverload) return false;
    const why = env.overload.refusal(listener.ignoresConnectionLimit);
    if (why === undefined) return false;
    (why === "limit" ? stats.globalOverflow : stats.overloadReject).value++;
    return true;
  }

  function open(slot: Slot): void {
    const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (sock) => onConnection(slot, sock));
    slot.server = server;
    slot.state = "opening";
    const { host, port } = slot.listener.address;
    server.on("error", (error: NodeJS.ErrnoException) => {
      slot.state = "failed";
      slot.error = error.code ?? error.message;
      env.logger.log("error", "listener could not be opened", { listener: slot.listener.name, address: host, port, reason: slot.error });
    });
    const place = isSocketPath(host) ? { path: prepareSocket(host) } : { host, port };
    server.listen({ ...place, backlog: 1024 }, () => {
      slot.state = "listening";
      if (slot.listener.socketMode !== undefined) setSocketMode(host, slot.listener.socketMode);
      const address = server.address();
      if (typeof address === "object" && address !== null) slot.port = address.port;
    });
  }

  function close(slot: Slot): void {
    slot.removed = true;
    slot.state = "closed";
    slot.server?.close();
    slot.server = undefined;
    for (const admission of [...slot.admissions]) admission.cancel();
    for (const session of slot.sessions) session.drain();
  }

  /** Listeners that keep their address keep their socket, whatever else changed, their name too. */
  function onRuntime(runtime: RuntimeConfig): void {
    if (!accepting) return;
    const wanted = new Map<string, Listener>();
    for (const listener of runtime.listeners.values()) {
      if (!listener.bindToPort) continue;
      const { host, port } = listener.address;
      const key = port === 0 && !isSocketPath(host) ? `${host}:0#${listener.name}` : `${host}:${port}`;
      if (wanted.has(key))
        env.logger.log("error", "two listeners on one address: the first stays", { address: key, listener: listener.name });
      else wanted.set(key, listener);
    }
    for (const [key, slot] of slots) {
      if (wanted.has(key)) continue;
      slots.delete(key);
      close(slot);
    }
    for (const [key, listener] of wanted) {
      const slot = slots.get(key);
      if (slot === undefined) {
        const made: Slot = {
          key,
          listener,
          version: 0,
          removed: false,
          server: undefined,
          state: "opening",
          error: undefined,
          port: listener.address.port,
          stats: createListenerStats(env.stats, listener.address),
          admissions: new Set(),
          sessions: new Set(),
        };
        slots.set(key, made);
        open(made);
      } else if (slot.listener !== listener) {
        slot.listener = listener;
        slot.version++;
        // The address may have come free since.
        if (slot.state === "failed") open(slot);
      }
    }
  }

  onRuntime(env.runtime.current());
  const unsubscribe = env.runtime.subscribe(onRuntime);

  function each<T>(read: (session: Open) => T): T[] {
    return [...slots.values()].flatMap((slot) => [...slot.sessions].map(read));
  }

  return {
    status() {
      const bound = [...slots.values()].map((slot) => ({
        name: slot.listener.name,
        address: slot.listener.address.host,
        port: slot.port,
        state: slot.state,
        error: slot.error,
        connections: slot.sessions.size,
      }));
      const unbound = [...env.runtime.current().listeners.values()]
        .filter((listener) => !listener.bindToPort)
        .map((listener) => ({
          name: listener.name,
          address: listener.address.host,
          port: listener.address.port,
          state: "unbound" as const,
          error: undefined,
          connections: 0,
        }));
      return [...bound, ...unbound];
    },
    settled: () => [...slots.values()].every((slot) => slot.state !== "opening"),
    stopAccepting() {
      accepting = false;
      for (const slot of slots.values()) {
        slot.server?.close();
        slot.server = undefined;
        slot.state = "closed";
      }
    },
    drainConnections: () => void each((session) => session.drain()),
    busy: () => each((session) => session.busy).filter(Boolean).length,
    open: () => each(() => 1).length,
    stop() {
      accepting = false;
      unsubscribe();
      for (const slot of slots.values()) {
        slot.removed = true;
        slot.server?.close();
        for (const admission of [...slot.admissions]) admission.cancel();
        for (const session of slot.sessions) session.conn.destroy();
      }
      slots.clear();
    },
  };
}
