// What a request decides about its upstream connection.
import type { Cluster } from "../upstream/cluster.ts";
import { type NamedRequest, requestNames } from "../upstream/connection-names.ts";
import type { Host } from "../upstream/host.ts";
import type { ConnectionPool, PoolKind } from "../upstream/pool/pool.ts";
import type { Exchange } from "./exchange.ts";

export interface PoolChoice {
  readonly cluster: Cluster;
  readonly host: Host;
  readonly kind: PoolKind;
  readonly authority: string;
}

/** Where the cluster's pools differ from request to request. */
export function poolOf(exchange: Exchange, { cluster, host, kind, authority }: PoolChoice): ConnectionPool {
  return poolFor(namedRequest(exchange, cluster, authority), { cluster, host, kind });
}

export function poolFor(request: NamedRequest, { cluster, host, kind }: Omit<PoolChoice, "authority">): ConnectionPool {
  return cluster.poolFor(host, requestNames(cluster.config, host.transport, request), kind);
}

/** What the request says about it, also when it is over. */
export function namedRequest(exchange: Exchange, cluster: Cluster, authority: string): NamedRequest {
  const { arrival } = exchange.caller;
  const header = cluster.config.autoSni?.header ?? "";
  const value = header === "" ? undefined : exchange.requestHeader(header);
  return {
    authority,
    header: () => value,
    addresses: {
      sourceAddress: arrival.remoteAddress,
      sourcePort: arrival.remotePort,
      destinationAddress: arrival.localAddress,
      destinationPort: arrival.localPort,
    },
  };
}

/** The HTTP version in which it goes to that cluster. */
export function httpPoolKind(exchange: Exchange, cluster: Cluster): "http1" | "http2" {
  const { protocol } = cluster.config;
  return protocol === "http2" || (protocol === "downstream" && exchange.head.version === "HTTP/2") ? "http2" : "http1";
}
