// What takes a connection's bytes, by filter chain; made once for each and kept while the config that asks for it is.
import type { FilterChain, Listener } from "../config/index.ts";
import { createConnectionManager, type ConnectionManager } from "../network/connection-manager.ts";
import { createDirectResponse, type DirectResponse } from "../network/direct-response.ts";
import type { Environment } from "../network/environment.ts";
import { createTcpProxy, type TcpProxy } from "../network/tcp-proxy.ts";
import type { AccessLogger } from "../observe/access-log.ts";
import { createTlsInspectorStats, type TlsInspectorStats } from "./listener-stats.ts";

export class ChainHandlers {
  readonly inspectorStats: TlsInspectorStats;
  private readonly env: Environment;
  private readonly managers = new WeakMap<object, ConnectionManager>();
  private readonly byteFilters = new WeakMap<object, TcpProxy | DirectResponse>();
  private readonly logs = new WeakMap<Listener, readonly AccessLogger[]>();

  constructor(env: Environment) {
    this.env = env;
    this.inspectorStats = createTlsInspectorStats(env.stats);
  }

  loggersOf(listener: Listener): readonly AccessLogger[] {
    let loggers = this.logs.get(listener);
    if (loggers === undefined) {
      loggers = listener.accessLogs.map((log) => this.env.accessLogs.logger(log)).flatMap((made) => (made.ok ? [made.value] : []));
      this.logs.set(listener, loggers);
    }
    return loggers;
  }

  /** undefined: the chain's connections are not HTTP. */
  managerOf({ network, tls }: FilterChain): ConnectionManager | undefined {
    if (network.kind !== "http") return undefined;
    let manager = this.managers.get(network);
    if (manager === undefined) this.managers.set(network, (manager = createConnectionManager(network, this.env, tls !== undefined)));
    return manager;
  }

  /** For chains without a manager. */
  byteFilterOf({ name, network }: FilterChain): TcpProxy | DirectResponse {
    if (network.kind === "http") throw new Error(`filter chain ${name} is HTTP`);
    let filter = this.byteFilters.get(network);
    if (filter === undefined) {
      filter = network.kind === "tcp" ? createTcpProxy(network, this.env) : createDirectResponse(network, this.env);
      this.byteFilters.set(network, filter);
    }
    return filter;
  }

  /** With original destination, the listener for that address takes over, bound or not. */
  listenerFor(listener: Listener, { localAddress, localPort }: { readonly localAddress: string; readonly localPort: number }): Listener {
    if (!listener.useOriginalDst) return listener;
    let wildcard: Listener | undefined;
    for (const other of this.env.runtime.current().listeners.values()) {
      if (other === listener || other.address.port !== localPort || other.bindToPort) continue;
      if (other.address.host === localAddress) return other;
      if (other.address.host === "0.0.0.0" || other.address.host === "::") wildcard = other;
    }
    return wildcard ?? listener;
  }
}
