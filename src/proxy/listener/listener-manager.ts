// Follows the runtime config: opens, changes in place and closes listeners; an open connection takes the new config with its next request.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/listeners/lds
import net from "node:net";
import type { FilterChain, Listener, RuntimeConfig } from "../config/index.ts";
import { adopt, type Conn, type ConnHandler } from "../network/conn.ts";
import { createConnectionManager, type ConnectionManager } from "../network/connection-manager.ts";
import type { Arrival, Drainable } from "../network/arrival.ts";
import { createDirectResponse, type DirectResponse } from "../network/direct-response.ts";
import { Http1Downstream } from "../network/http1-downstream.ts";
import { Http2Downstream } from "../network/http2-downstream.ts";
import type { Environment } from "../network/environment.ts";
import { createTcpProxy, type TcpProxy } from "../network/tcp-proxy.ts";
import { plainAddress } from "../network/ip-text.ts";
import { hostName } from "../upstream/host.ts";
import type { AccessLogger } from "../observe/access-log.ts";
import { Admission, type Admitted } from "./admission.ts";
import { ConnectionLog } from "./connection-log.ts";
import { type ConnectionFacts, matchFilterChain } from "./filter-chain-match.ts";
import { createListenerStats, createTlsInspectorStats, type ListenerStats } from "./listener-stats.ts";

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

interface Session extends ConnHandler, Drainable {
  conn: Conn;
  opened(): void;
}

/** An open connection; what speaks on it may change. */
type Open = Drainable & { readonly conn: Conn };

interface Slot {
  readonly key: string;
  listener: Listener;
  /** Grows with every change of the listener. */
  version: number;
  removed: boolean;
  server: net.Server | undefined;
  state: ListenerStatus["state"];
  error: string | undefined;
  port: number;
  readonly stats: ListenerStats;
  /** On their way to a session. */
  readonly admissions: Set<Admission>;
  readonly sessions: Set<Open>;
}

export function createListenerManager(env: Environment): ListenerManager {
  const slots = new Map<string, Slot>();
  const managers = new WeakMap<object, ConnectionManager>();
  const byteFilters = new WeakMap<object, TcpProxy | DirectResponse>();
  const logs = new WeakMap<Listener, readonly AccessLogger[]>();
  const inspectorStats = createTlsInspectorStats(env.stats);
  let connectionCount = 0;
  let accepting = true;

  function loggersOf(listener: Listener): readonly AccessLogger[] {
    let loggers = logs.get(listener);
    if (loggers === undefined) {
      loggers = listener.accessLogs.map((log) => env.accessLogs.logger(log)).flatMap((made) => (made.ok ? [made.value] : []));
      logs.set(listener, loggers);
    }
    return loggers;
  }

  function managerOf(chain: FilterChain): ConnectionManager | undefined {
    const { network } = chain;
    if (network.kind !== "http") return undefined;
    let manager = managers.get(network);
    if (manager === undefined) managers.set(network, (manager = createConnectionManager(network, env, chain.tls !== undefined)));
    return manager;
  }

  /** What takes a connection that is not HTTP. */
  function byteFilterOf({ network }: FilterChain): TcpProxy | DirectResponse | undefined {
    if (network.kind === "http") return undefined;
    let filter = byteFilters.get(network);
    if (filter === undefined) {
      filter = network.kind === "tcp" ? createTcpProxy(network, env) : createDirectResponse(network, env);
      byteFilters.set(network, filter);
    }
    return filter;
  }

  /** With original destination, the listener for that address takes over, bound or not. */
  function listenerFor(slot: Slot, localAddress: string, localPort: number): Listener {
    if (!slot.listener.useOriginalDst) return slot.listener;
    let wildcard: Listener | undefined;
    for (const listener of env.runtime.current().listeners.values()) {
      if (listener === slot.listener || listener.address.port !== localPort || listener.bindToPort) continue;
      if (listener.address.host === localAddress) return listener;
      if (listener.address.host === "0.0.0.0" || listener.address.host === "::") wildcard = listener;
    }
    return wildcard ?? slot.listener;
  }

  function onConnection(slot: Slot, sock: net.Socket): void {
    const { localAddress, localPort, remoteAddress, remotePort } = sock;
    // Gone before we looked at it.
    if (localAddress === undefined || remoteAddress === undefined) {
      sock.destroy();
      return;
    }
    const facts: ConnectionFacts = {
      localAddress: plainAddress(localAddress),
      localPort: localPort ?? 0,
      remoteAddress: plainAddress(remoteAddress),
      remotePort: remotePort ?? 0,
      transport: "raw_buffer",
      serverName: "",
      applicationProtocols: [],
    };
    const listener = listenerFor(slot, facts.localAddress, facts.localPort);
    const { stats } = slot;
    stats.cxTotal.value++;
    stats.cxActive.value++;
    const log = listener.accessLogs.length === 0 ? undefined : new ConnectionLog(env, sock, facts, ++connectionCount);
    const finish = (): void => {
      stats.cxActive.value--;
      stats.cxDestroy.value++;
      if (log !== undefined) for (const logger of loggersOf(listener)) logger.log(log);
    };
    const admission = new Admission({
      env,
      listener,
      sock,
      facts,
      stats,
      inspectorStats,
      onAdmitted(admitted) {
        slot.admissions.delete(admission);
        log?.admitted(admitted);
        begin(slot, admitted, { id: log?.connectionId ?? ++connectionCount, peer: facts, finish });
      },
      onRefused(why, seen, chain, reason) {
        slot.admissions.delete(admission);
        log?.refused(why, seen, { chain, reason });
        finish();
      },
    });
    slot.admissions.add(admission);
    admission.start();
  }

  function begin(slot: Slot, admitted: Admitted, from: { id: number; peer: ConnectionFacts; finish: () => void }): void {
    const { sock, carrier, facts, chain, secured, first } = admitted;
    let version = slot.version;
    let manager = managerOf(chain);
    const arrival: Arrival = {
      id: from.id,
      filterChainName: chain.name,
      localAddress: facts.localAddress,
      localPort: facts.localPort,
      remoteAddress: facts.remoteAddress,
      remotePort: facts.remotePort,
      peerAddress: hostName(from.peer.remoteAddress, from.peer.remotePort),
      directLocalAddress: hostName(from.peer.localAddress, from.peer.localPort),
      serverName: facts.serverName,
      alpn: secured?.alpn ?? "",
      originalDestination: originalDestination(slot, from.peer),
      tls: secured?.info,
      manager() {
        if (slot.removed) return undefined;
        if (version === slot.version) return manager;
        version = slot.version;
        const next = matchFilterChain(listenerFor(slot, facts.localAddress, facts.localPort), facts);
        // A chain that would have asked for TLS, or for none, is not this connection's.
        manager = next === undefined || (next.tls === undefined) !== (chain.tls === undefined) ? undefined : managerOf(next);
        return manager;
      },
      becomes(next) {
        slot.sessions.delete(current);
        current = next;
        slot.sessions.add(next);
      },
      onClosed() {
        slot.sessions.delete(current);
        from.finish();
      },
    };
    const session: Session =
      manager === undefined ? (byteFilterOf(chain) as TcpProxy | DirectResponse).accept(arrival) : callerOf(arrival, manager);
    let current: Open = session;
    slot.sessions.add(session);
    const conn: Conn = adopt(sock, session, carrier);
    session.conn = conn;
    session.opened();
    if (first !== undefined) {
      session.onData(first, first.length);
      if (manager !== undefined) conn.resume();
    }
    if (first === undefined) conn.resume();
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
    server.listen({ host, port, backlog: 1024 }, () => {
      slot.state = "listening";
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
      const key = port === 0 ? `${host}:0#${listener.name}` : `${host}:${port}`;
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

/** HTTP/1, until the first bytes say otherwise; or HTTP/2 only. */
function callerOf(arrival: Arrival, manager: ConnectionManager): Session {
  manager.stats.cxTotal.value++;
  manager.stats.cxActive.value++;
  return manager.config.codec === "HTTP2" ? new Http2Downstream(arrival, manager) : new Http1Downstream(arrival, manager);
}

/** Led here on the way to another port (TPROXY): the socket still has the address the caller meant. */
function originalDestination({ listener, port }: Slot, { localAddress, localPort }: ConnectionFacts): string | undefined {
  if (!listener.useOriginalDst && !listener.inspectors.originalDst) return undefined;
  return localPort === port ? undefined : hostName(localAddress, localPort);
}
