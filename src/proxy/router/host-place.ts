// A try's place at its host: counted in the host and its cluster for as long as it is there.
import type { ResetReason } from "../observe/failure.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import type { ConnectionPool, PoolRequest } from "../upstream/pool/pool.ts";
import type { UpstreamStream, UpstreamUser } from "../upstream/pool/upstream-stream.ts";
import type { RequestBody } from "./request-body.ts";

export class HostPlace {
  /** undefined = there is no try under way. */
  host: Host | undefined = undefined;
  /** undefined = the try waits for one. */
  stream: UpstreamStream | undefined = undefined;
  private cluster!: Cluster;
  private pool: ConnectionPool | undefined = undefined;
  private readonly body: RequestBody;

  constructor(body: RequestBody) {
    this.body = body;
  }

  take(cluster: Cluster, host: Host): void {
    this.cluster = cluster;
    this.host = host;
    cluster.usage.requests++;
    host.stats.rqActive++;
  }

  /** A stream that is ready at once; the others come to `request`. */
  acquire(pool: ConnectionPool, request: PoolRequest): UpstreamStream | undefined {
    this.pool = pool;
    return pool.acquire(request);
  }

  begin(stream: UpstreamStream, user: UpstreamUser, now: number): void {
    const { cluster } = this;
    const host = this.host as Host;
    this.stream = stream;
    stream.attach(user, now);
    cluster.stats.rqTotal.value++;
    cluster.stats.rqActive.value++;
    host.stats.rqTotal++;
    host.outlier?.putOutcome("connected");
  }

  leave(): void {
    const { host, cluster } = this;
    if (host === undefined) return;
    this.host = undefined;
    host.stats.rqActive--;
    cluster.usage.requests--;
    if (this.stream !== undefined) cluster.stats.rqActive.value--;
    this.stream = undefined;
    this.body.leave();
  }

  /** Lets go of the upstream, wherever the try stands. */
  drop(request: PoolRequest): void {
    const { stream, host, cluster } = this;
    if (stream === undefined && host !== undefined) this.pool?.cancel(request);
    this.leave();
    if (stream === undefined) return;
    cluster.stats.rqTxReset.value++;
    stream.abandon();
  }

  countFailure(reason: ResetReason): void {
    const { host } = this;
    if (host === undefined) return;
    host.stats.rqError++;
    // A full cluster says nothing about its hosts.
    if (reason !== "overflow") host.outlier?.putOutcome("connect failed");
  }

  countTimeout(): void {
    this.cluster.stats.rqTimeout.value++;
    const { host } = this;
    if (host === undefined) return;
    host.stats.rqTimeout++;
    host.outlier?.putOutcome("timeout");
  }
}
