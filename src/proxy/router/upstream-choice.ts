// What a request decides about its upstream connection.
import type { Cluster } from "../upstream/cluster.ts";
import { type RequestNames, requestNames } from "../upstream/connection-names.ts";
import type { Host } from "../upstream/host.ts";
import type { ConnectionPool } from "../upstream/pool/pool.ts";
import type { Exchange } from "./exchange.ts";

export interface PoolChoice {
  readonly cluster: Cluster;
  readonly host: Host;
  readonly http2: boolean;
  readonly authority: string;
}

/** Where the cluster's pools differ from request to request. */
export function poolOf(exchange: Exchange, choice: PoolChoice): ConnectionPool {
  return choice.cluster.poolFor(choice.host, namesOf(exchange, choice), choice.http2);
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

/** Does it go to that cluster in HTTP/2? */
export function goesInHttp2(exchange: Exchange, cluster: Cluster): boolean {
  const { protocol } = cluster.config;
  return protocol === "http2" || (protocol === "downstream" && exchange.head.version === "HTTP/2");
}
