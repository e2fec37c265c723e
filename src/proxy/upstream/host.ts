// One endpoint of a cluster as the proxy runs it. It keeps its identity, connections and counts while configs that still name it come and go.
import type { EndpointConfig, UpstreamTransport } from "../config/index.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import type { HostMonitor } from "./outlier/host-monitor.ts";
import type { ConnectionPool, PoolKind } from "./pool/pool.ts";

export interface HostStats {
  cxTotal: number;
  cxActive: number;
  cxConnectFail: number;
  rqTotal: number;
  rqActive: number;
  rqSuccess: number;
  rqError: number;
  rqTimeout: number;
}

export interface Host {
  /** `address:port` or the path of a Unix socket, as logs and `/clusters` show it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Where else it can be reached, by the name that it stands for, itself first; undefined = nowhere. */
  alternatives: readonly string[] | undefined;
  readonly stats: HostStats;
  config: EndpointConfig;
  /** undefined = plain TCP. */
  transport: UpstreamTransport | undefined;
  /** Outlier detection has taken it out for a while. */
  ejected: boolean;
  /** As the picker knows it: health changes reach that in bundles. */
  leftOut: boolean;
  /** Hears what became of requests; undefined where the cluster has no outlier detection. */
  outlier: HostMonitor | undefined;
  /** When it was first seen healthy (monotonic ms), for warming up; undefined while nobody asked. */
  healthySince: number | undefined;
  /** Made at the first request, one for each kind; a host belongs to one cluster. */
  readonly pools: Record<PoolKind, ConnectionPool | undefined>;
  /** Where requests decide on their connections: one for each kind. */
  poolsByName: Map<string, ConnectionPool> | undefined;
}

/** Idle connections close, active ones finish what they have; new requests get new pools. */
export function drainHost(host: Host): void {
  const { pools } = host;
  for (const pool of [...Object.values(pools), ...(host.poolsByName?.values() ?? [])]) pool?.drain();
  pools.http1 = undefined;
  pools.http2 = undefined;
  pools.tcp = undefined;
  host.poolsByName = undefined;
}

export function hostName(address: string, port: number): string {
  if (isSocketPath(address)) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function createHost(config: EndpointConfig, address: string): Host {
  return {
    name: hostName(address, config.port),
    address,
    port: config.port,
    alternatives: undefined,
    config,
    transport: undefined,
    ejected: false,
    leftOut: false,
    outlier: undefined,
    healthySince: undefined,
    pools: { http1: undefined, http2: undefined, tcp: undefined },
    poolsByName: undefined,
    stats: { cxTotal: 0, cxActive: 0, cxConnectFail: 0, rqTotal: 0, rqActive: 0, rqSuccess: 0, rqError: 0, rqTimeout: 0 },
  };
}
