// What a request decides about its upstream connection.
import type { Cluster } from "../upstream/cluster.ts";
import { type RequestNames, requestNames } from "../upstream/connection-names.ts";
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
export function poolOf(exchange: Exchange, choice: PoolChoice): ConnectionPool {
  return choice.cluster.poolFor(choice.host, namesOf(exchange, choice), choice.kind);
}

function namesOf(exchange: Exchange, { cluster, host, authority }: PoolChoice): RequestNames {
  const { arrival } = exchange.caller;
  return requestNames(cluster.config, host.transport, {
    authority,
    header: (name) => exchange.requestHeader(name),
    addresses: {
      sourceAddress: arrival.remoteAddress,
      sourcePort: arrival.remotePort,
      destinationAddress: arrival.localAddress,
      destinationPort: arrival.localPort,
    },
  });
}

/** The HTTP version in which it goes to that cluster. */
export function httpPoolKind(exchange: Exchange, cluster: Cluster): "http1" | "http2" {
  const { protocol } = cluster.config;
  return protocol === "http2" || (protocol === "downstream" && exchange.head.version === "HTTP/2") ? "http2" : "http1";
}
