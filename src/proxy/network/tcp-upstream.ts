// The upstream's side of a TCP session: a connection of its own.
import type { Cluster } from "../upstream/cluster.ts";
import type { RequestNames } from "../upstream/connection-names.ts";
import type { Host } from "../upstream/host.ts";
import type { ResetReason } from "../observe/failure.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import { type Conn, dial, HIGH_WATER } from "./conn.ts";
import type { Environment } from "./environment.ts";
import { Timer } from "./timer-wheel.ts";

export interface TcpUpstreamUser {
  /** Bytes may pass. */
  onReady(): void;
  /** They never will. `failure`: why the connection could not be made, in the words of Envoy's logs. */
  onFailed(reason: ResetReason, failure: string | undefined): void;
  /** False = the view is still in use: no more before `resume`. */
  onUpstreamData(view: Buffer): boolean;
  onUpstreamEnd(): void;
  /** It is gone, after it was ready; `reset`: without an end. */
  onUpstreamClosed(reset: boolean): void;
}

export interface TcpUpstream {
  readonly localAddress: string;
  readonly tls: TlsInfo | undefined;
  /** The bytes are used up when it returns. False = too much waits. */
  write(part: Buffer): boolean;
  whenWritable(fn: () => void): void;
  /** No more will be written. */
  end(): void;
  resume(): void;
  /** What was written still goes out. */
  close(): void;
  /** Nothing is heard any more; the other side learns that it broke off. */
  drop(): void;
}

const NO_ALPN: readonly string[] = [];

export interface TcpTarget {
  readonly env: Environment;
  readonly cluster: Cluster;
  readonly host: Host;
  readonly names: RequestNames;
}

export function openTcp({ env, cluster, host, names }: TcpTarget, user: TcpUpstreamUser): TcpUpstream {
  let ready = false;
  let gone = false;
  let localAddress = "";
  let secured: TlsInfo | undefined;
  cluster.usage.connections++;
  cluster.stats.cxTotal.value++;
  cluster.stats.cxActive.value++;
  host.stats.cxTotal++;
  host.stats.cxActive++;

  const leave = (): boolean => {
    if (gone) return false;
    gone = true;
    env.wheel.remove(timer);
    cluster.usage.connections--;
    cluster.stats.cxActive.value--;
    cluster.stats.cxDestroy.value++;
    host.stats.cxActive--;
    return true;
  };
  const fail = (reason: ResetReason, failure: string | undefined): void => {
    if (!leave()) return;
    cluster.stats.cxConnectFail.value++;
    if (reason === "connection timeout") cluster.stats.cxConnectTimeout.value++;
    host.stats.cxConnectFail++;
    host.outlier?.putOutcome(reason === "connection timeout" ? "timeout" : "connect failed");
    conn.destroy();
    user.onFailed(reason, failure);
  };
  const timer = new Timer(() => fail("connection timeout", undefined));
  const conn: Conn = dial(
    {
      target: host,
      localAddress: cluster.config.sourceAddress,
      keepalive: cluster.config.tcpKeepalive,
      transport: cluster.transport(host, names, NO_ALPN),
      onConnect(tls) {
        if (gone) return;
        env.wheel.disarm(timer);
        host.outlier?.putOutcome("connected for good");
        ready = true;
        secured = tls;
        localAddress = conn.localText;
        user.onReady();
      },
    },
    {
      onData(data, length) {
        cluster.stats.rxBytes.value += length;
        return gone || user.onUpstreamData(data.subarray(0, length));
      },
      onEnd() {
        if (!gone) user.onUpstreamEnd();
      },
      onClose(failure, reset = false) {
        if (!ready) fail("remote connection failure", failure);
        else if (leave()) user.onUpstreamClosed(reset);
      },
    },
  );
  const now = env.clock.now();
  env.wheel.arm(timer, now + cluster.config.connectTimeoutMs, now);

  return {
    get localAddress() {
      return localAddress;
    },
    get tls() {
      return secured;
    },
    write(part) {
      cluster.stats.txBytes.value += part.length;
      conn.writeCopy(part);
      return conn.pending() <= HIGH_WATER;
    },
    whenWritable: (fn) => conn.whenFlushed(fn),
    end: () => conn.end(),
    resume: () => conn.resume(),
    close() {
      if (!leave()) return;
      conn.end();
      // A peer that never closes is cut off.
      conn.whenFlushed(() => conn.destroy());
    },
    drop() {
      if (leave()) conn.reset();
    },
  };
}
