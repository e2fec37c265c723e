// Connections for tunnels that end here: one for each, opened for it. The upstream gets bytes and nothing else.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades (CONNECT support)
import type { ResetReason } from "../../observe/failure.ts";
import { canConnect } from "../circuit-breaker.ts";
import { HostPool } from "./host-pool.ts";
import type { ConnectionPool, PoolRequest } from "./pool.ts";
import { type TcpOwner, TcpStream } from "./tcp-stream.ts";

const NO_ALPN: readonly string[] = [];

export class TcpPool extends HostPool<TcpStream> implements ConnectionPool, TcpOwner {
  readonly idle = 0;
  private readonly pending = new Map<PoolRequest, TcpStream>();
  private open = 0;

  get active(): number {
    return this.open;
  }

  get waiting(): number {
    return this.pending.size;
  }

  acquire(request: PoolRequest): undefined {
    if (!canConnect(this.context.usage, this.context.config().breakers)) {
      this.context.stats.cxOverflow.value++;
      request.onPoolFailure("overflow", undefined);
      return;
    }
    const stream = new TcpStream(this, request);
    this.pending.set(request, stream);
    this.open++;
    this.dial(stream, NO_ALPN);
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
    this.countConnectFailure();
    if (reason === "connection timeout") this.context.stats.cxConnectTimeout.value++;
    if (this.pending.delete(request)) request.onPoolFailure(reason, systemCode);
  }

  onClosed(stream: TcpStream): void {
    this.open--;
    this.countClosed(stream);
  }
}
