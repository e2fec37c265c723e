// What pools of every kind do alike: open connections to one host, bounded in time, and count them in the cluster and in the host.
import { type Conn, type ConnHandler, dial } from "../../network/conn.ts";
import type { Timer } from "../../network/timer-wheel.ts";
import type { TlsInfo } from "../../transport/tls-info.ts";
import type { RequestNames } from "../connection-names.ts";
import type { Host } from "../host.ts";
import type { PoolContext } from "./pool.ts";

/** A connection as its pool sees it. */
export interface PooledConnection extends ConnHandler {
  conn: Conn;
  /** Connect time-out until it is connected. */
  readonly timer: Timer;
  /** undefined = it may live for ever. */
  readonly ageTimer: Timer | undefined;
  onConnect(tls: TlsInfo | undefined): void;
}

export abstract class HostPool<C extends PooledConnection> {
  protected readonly context: PoolContext;
  private readonly host: Host;
  private readonly names: RequestNames;

  constructor(host: Host, context: PoolContext, names: RequestNames) {
    this.host = host;
    this.context = context;
    this.names = names;
  }

  /** `alpn`: protocols to offer where the config has none. */
  protected dial(connection: C, alpn: readonly string[]): void {
    const { stats, usage, clock, wheel } = this.context;
    const config = this.context.config();
    usage.connections++;
    stats.cxTotal.value++;
    stats.cxActive.value++;
    this.host.stats.cxTotal++;
    this.host.stats.cxActive++;
    const now = clock.now();
    connection.conn = dial(
      {
        target: this.host,
        localAddress: config.sourceAddress,
        keepalive: config.tcpKeepalive,
        transport: this.context.transport(this.host, this.names, alpn),
        onConnect: (tls) => {
          wheel.disarm(connection.timer);
          connection.onConnect(tls);
        },
      },
      connection,
    );
    wheel.arm(connection.timer, now + config.connectTimeoutMs, now);
  }

  protected countConnectFailure(): void {
    this.context.stats.cxConnectFail.value++;
    this.host.stats.cxConnectFail++;
  }

  /** It is gone, or never came to be. */
  protected countClosed({ timer, ageTimer }: C): void {
    const { stats, usage, wheel } = this.context;
    wheel.remove(timer);
    if (ageTimer !== undefined) wheel.remove(ageTimer);
    usage.connections--;
    stats.cxActive.value--;
    stats.cxDestroy.value++;
    this.host.stats.cxActive--;
  }

  countReceived(bytes: number): void {
    this.context.stats.rxBytes.value += bytes;
  }

  countSent(bytes: number): void {
    this.context.stats.txBytes.value += bytes;
  }
}
