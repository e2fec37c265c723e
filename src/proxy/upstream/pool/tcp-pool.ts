// Connections for tunnels that end here: one for each, opened for it. The upstream gets bytes and nothing else.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades (CONNECT support)
import { dial } from "../../network/conn.ts";
import { canConnect } from "../circuit-breaker.ts";
import type { RequestNames } from "../connection-names.ts";
import type { Host } from "../host.ts";
import type { ResetReason } from "../../observe/failure.ts";
import type { ConnectionPool, PoolContext, PoolRequest } from "./pool.ts";
import { type TcpOwner, TcpStream } from "./tcp-stream.ts";

const NO_ALPN: readonly string[] = [];

export class TcpPool implements ConnectionPool, TcpOwner {
  readonly idle = 0;
  private readonly host: Host;
  private readonly context: PoolContext;
  private readonly names: RequestNames;
  private readonly pending = new Map<PoolRequest, TcpStream>();
  private open = 0;

  constructor(host: Host, context: PoolContext, names: RequestNames) {
    this.host = host;
    this.context = context;
    this.names = names;
  }

  get active(): number {
    return this.open;
  }

  get waiting(): number {
    return this.pending.size;
  }

  acquire(request: PoolRequest): undefined {
    const { stats, usage, clock, wheel } = this.context;
    const config = this.context.config();
    if (!canConnect(usage, config.breakers)) {
      stats.cxOverflow.value++;
      request.onPoolFailure("overflow", undefined);
      return;
    }
    const stream = new TcpStream(this, request);
    this.pending.set(request, stream);
    this.open++;
    usage.connections++;
    stats.cxTotal.value++;
    stats.cxActive.value++;
    this.host.stats.cxTotal++;
    this.host.stats.cxActive++;
    const now = clock.now();
    stream.conn = dial(
      {
        host: this.host.address,
        port: this.host.port,
        localAddress: config.sourceAddress,
        keepalive: config.tcpKeepalive,
        transport: this.context.transport(this.host, this.names, NO_ALPN),
        onConnect: (tls) => {
          wheel.disarm(stream.timer);
          stream.onConnect(tls);
        },
      },
      stream,
    );
    wheel.arm(stream.timer, now + config.connectTimeoutMs, now);
  }

  cancel(request: PoolRequest): void {
    const stream = this.pending.get(request);
    this.pending.delete(request);
    stream?.abandon();
  }

  drain(): void {}

  onConnected(request: PoolRequest, stream: TcpStream): void {
    if (this.pending.delete(request)) request.onPoolReady(stream);
  }

  onConnectFailure(request: PoolRequest, reason: ResetReason, systemCode: string | undefined): void {
    const { stats } = this.context;
    stats.cxConnectFail.value++;
    if (reason === "connection timeout") stats.cxConnectTimeout.value++;
    this.host.stats.cxConnectFail++;
    if (this.pending.delete(request)) request.onPoolFailure(reason, systemCode);
  }

  onClosed(stream: TcpStream): void {
    const { stats, usage, wheel } = this.context;
    wheel.remove(stream.timer);
    this.open--;
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
