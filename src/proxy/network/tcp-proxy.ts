// The TCP proxy filter: one upstream connection per caller's connection, bytes both ways with back-pressure, half-close passed on.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/tcp_proxy_filter
import type { TcpProxyConfig } from "../config/index.ts";
import type { AccessLogger } from "../observe/access-log.ts";
import { FLAG } from "../observe/response-flags.ts";
import { scopedSpec } from "../observe/stats.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import { canConnect } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { type RequestNames, requestNames } from "../upstream/connection-names.ts";
import type { Host } from "../upstream/host.ts";
import type { PickContext } from "../upstream/lb/picker.ts";
import type { PriorityLoads, PriorityState } from "../upstream/lb/priority-loads.ts";
import { type Hash64, hashAddress } from "../hash/index.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import type { Arrival } from "./arrival.ts";
import { type Conn, type ConnHandler, dial, HIGH_WATER } from "./conn.ts";
import type { Environment } from "./environment.ts";
import { Timer } from "./timer-wheel.ts";

const NO_ALPN: readonly string[] = [];

export interface TcpProxy {
  readonly config: TcpProxyConfig;
  accept(arrival: Arrival): TcpSession;
}

export function createTcpProxy(config: TcpProxyConfig, env: Environment): TcpProxy {
  const scope = { prefix: "tcp", tag: "envoy.tcp_prefix", value: config.statPrefix };
  const counter = (suffix: string) => env.stats.counter(scopedSpec(scope, suffix));
  const stats = {
    cxTotal: counter("downstream_cx_total"),
    rxBytes: counter("downstream_cx_rx_bytes_total"),
    txBytes: counter("downstream_cx_tx_bytes_total"),
    noRoute: counter("downstream_cx_no_route"),
    idleTimeout: counter("idle_timeout"),
  };
  const loggers: AccessLogger[] = [];
  for (const log of config.accessLogs) {
    const made = env.accessLogs.logger(log);
    if (made.ok) loggers.push(made.value);
  }
  const total = config.clusters.reduce((sum, { weight }) => sum + weight, 0);

  function chooseCluster(): string {
    if (config.clusters.length === 1) return config.clusters[0]?.name ?? "";
    let draw = env.rng.random() * total;
    for (const { name, weight } of config.clusters) {
      draw -= weight;
      if (draw < 0) return name;
    }
    return config.clusters.at(-1)?.name ?? "";
  }

  return { config, accept: (arrival) => new TcpSession({ config, env, stats, loggers, clusterName: chooseCluster() }, arrival) };
}

interface SessionContext {
  readonly config: TcpProxyConfig;
  readonly env: Environment;
  readonly stats: Readonly<Record<"cxTotal" | "rxBytes" | "txBytes" | "noRoute" | "idleTimeout", { value: number }>>;
  readonly loggers: readonly AccessLogger[];
  readonly clusterName: string;
}

export class TcpSession implements ConnHandler, StreamInfo, PickContext {
  conn!: Conn;
  private readonly context: SessionContext;
  private readonly arrival: Arrival;
  private readonly startMs: number;
  private upstream: Conn | undefined = undefined;
  private connected = false;
  private cluster: Cluster | undefined = undefined;
  private host: Host | undefined = undefined;
  private waiting: Buffer[] = [];
  private attempts = 0;
  private callerEnded = false;
  private upstreamEnded = false;
  private over = false;
  private lastActivity: number;
  private readonly connectTimer = new Timer(() => this.upstreamFailed("connection timeout"));
  private readonly idleTimer = new Timer(() => this.onIdle());
  flags = 0;
  details = "";
  transportFailure = "";
  bytesReceived = 0;
  bytesSent = 0;
  upstreamHost = "";
  upstreamLocalAddress = "";
  upstreamTls: TlsInfo | undefined = undefined;
  readonly upstreamCluster: string;

  constructor(context: SessionContext, arrival: Arrival) {
    this.context = context;
    this.arrival = arrival;
    this.upstreamCluster = context.clusterName;
    this.startMs = context.env.clock.now();
    this.lastActivity = this.startMs;
    context.stats.cxTotal.value++;
  }

  get busy(): boolean {
    return !this.over;
  }

  opened(): void {
    this.cluster = this.context.env.clusters.get(this.upstreamCluster);
    if (this.cluster === undefined) {
      this.context.stats.noRoute.value++;
      this.flags |= FLAG.NC;
      this.close();
      return;
    }
    const { idleTimeoutMs } = this.context.config;
    if (idleTimeoutMs > 0) this.context.env.wheel.arm(this.idleTimer, this.startMs + idleTimeoutMs, this.startMs);
    this.connect(this.cluster);
  }

  /** TCP has no message end to wait for: connections live on until their limit. */
  drain(): void {}

  private connect(cluster: Cluster): void {
    const host = cluster.asksForContext ? cluster.pick(this) : cluster.pick();
    if (host === undefined) {
      cluster.stats.cxNoneHealthy.value++;
      this.flags |= FLAG.UH;
      this.close();
      return;
    }
    if (!canConnect(cluster.usage, cluster.config.breakers)) {
      cluster.stats.cxOverflow.value++;
      this.flags |= FLAG.UO;
      this.close();
      return;
    }
    this.attempts++;
    this.host = host;
    this.upstreamHost = host.name;
    cluster.usage.connections++;
    cluster.stats.cxTotal.value++;
    cluster.stats.cxActive.value++;
    host.stats.cxTotal++;
    host.stats.cxActive++;
    const { env } = this.context;
    const upstream: Conn = dial(
      {
        host: host.address,
        port: host.port,
        localAddress: cluster.config.sourceAddress,
        keepalive: cluster.config.tcpKeepalive,
        transport: cluster.transport(host, this.names(cluster, host), NO_ALPN),
        onConnect: (tls) => this.onConnected(upstream, tls),
      },
      {
        onData: (data, length) => this.onUpstreamData(upstream, data, length),
        onEnd: () => this.onUpstreamEnd(),
        onClose: (code) => {
          if (this.upstream === upstream) this.onUpstreamClose(code);
        },
      },
    );
    this.upstream = upstream;
    const now = env.clock.now();
    env.wheel.arm(this.connectTimer, now + cluster.config.connectTimeoutMs, now);
  }

  private names(cluster: Cluster, host: Host): RequestNames {
    const { arrival } = this;
    return requestNames({ ...cluster.config, autoSni: undefined }, host.transport, {
      authority: "",
      header: () => undefined,
      addresses: {
        sourceAddress: arrival.remoteAddress,
        sourcePort: arrival.remotePort,
        destinationAddress: arrival.localAddress,
        destinationPort: arrival.localPort,
      },
    });
  }

  private leaveHost(): void {
    const { cluster, host } = this;
    this.context.env.wheel.remove(this.connectTimer);
    if (cluster === undefined || host === undefined) return;
    this.host = undefined;
    cluster.usage.connections--;
    cluster.stats.cxActive.value--;
    host.stats.cxActive--;
  }

  private onConnected(upstream: Conn, tls: TlsInfo | undefined): void {
    this.upstreamTls = tls;
    this.connected = true;
    this.host?.outlier?.putOutcome("connected for good");
    this.context.env.wheel.disarm(this.connectTimer);
    this.upstreamLocalAddress = `${upstream.sock.localAddress}:${upstream.sock.localPort}`;
    for (const part of this.waiting) upstream.writeSub(part);
    this.waiting = [];
    this.conn.resume();
    if (this.callerEnded) upstream.end();
  }

  onData(data: Buffer, length: number): boolean {
    const { upstream } = this;
    this.bytesReceived += length;
    this.context.stats.rxBytes.value += length;
    this.lastActivity = this.context.env.clock.now();
    const own = Buffer.from(data.subarray(0, length));
    if (upstream === undefined || !this.connected) {
      this.waiting.push(own);
      this.conn.pause();
      return true;
    }
    upstream.writeSub(own);
    if (upstream.pending() > HIGH_WATER) {
      this.conn.pause();
      upstream.whenFlushed(() => this.conn.resume());
    }
    return true;
  }

  private onUpstreamData(upstream: Conn, data: Buffer, length: number): boolean {
    this.bytesSent += length;
    this.context.stats.txBytes.value += length;
    this.lastActivity = this.context.env.clock.now();
    const free = this.conn.writeSub(data.subarray(0, length));
    if (!free) this.conn.whenFlushed(() => upstream.resume());
    return free;
  }

  onEnd(): void {
    this.callerEnded = true;
    if (this.connected) this.upstream?.end();
    if (this.upstreamEnded) this.close();
  }

  private onUpstreamEnd(): void {
    this.upstreamEnded = true;
    this.conn.end();
    if (this.callerEnded) this.close();
  }

  private onUpstreamClose(code: string | undefined): void {
    if (!this.connected) {
      this.transportFailure = code ?? "";
      this.upstreamFailed("remote connection failure");
      return;
    }
    this.close();
  }

  private upstreamFailed(reason: string): void {
    if (this.over || this.connected) return;
    const { cluster, upstream } = this;
    this.upstream = undefined;
    upstream?.destroy();
    if (cluster !== undefined) {
      cluster.stats.cxConnectFail.value++;
      if (reason === "connection timeout") cluster.stats.cxConnectTimeout.value++;
      if (this.host !== undefined) {
        this.host.stats.cxConnectFail++;
        this.host.outlier?.putOutcome(reason === "connection timeout" ? "timeout" : "connect failed");
      }
    }
    this.leaveHost();
    if (cluster !== undefined && this.attempts < Math.max(1, this.context.config.maxConnectAttempts)) {
      this.connect(cluster);
      return;
    }
    this.flags |= FLAG.UF;
    this.close();
  }

  private onIdle(): void {
    if (this.over) return;
    const { env, config, stats } = this.context;
    const now = env.clock.now();
    if (now < this.lastActivity + config.idleTimeoutMs) {
      env.wheel.arm(this.idleTimer, this.lastActivity + config.idleTimeoutMs, now);
      return;
    }
    stats.idleTimeout.value++;
    this.close();
  }

  private close(): void {
    if (this.over) return;
    this.over = true;
    const { upstream } = this;
    this.upstream = undefined;
    this.leaveHost();
    this.context.env.wheel.remove(this.idleTimer);
    if (upstream !== undefined) {
      upstream.end();
      // What the caller sent last still goes out; a peer that never closes is cut off.
      upstream.whenFlushed(() => upstream.destroy());
    }
    this.conn.end();
    this.conn.whenFlushed(() => this.conn.destroy());
    for (const logger of this.context.loggers) logger.log(this);
  }

  onClose(): void {
    this.close();
    this.arrival.onClosed();
  }

  /** Looked for by hashing balancers. */
  get hash(): Hash64 | undefined {
    return this.context.config.hashSourceIp ? hashAddress(this.arrival.remoteAddress) : undefined;
  }
  get destination(): string | undefined {
    return this.arrival.originalDestination;
  }
  header(): undefined {
    return undefined;
  }
  readonly moreHosts = 0;
  wasTried(): boolean {
    return false;
  }
  shareAnew({ loads }: PriorityState): PriorityLoads {
    return loads;
  }
  requestHeader(): undefined {
    return undefined;
  }
  responseHeader(): undefined {
    return undefined;
  }
  responseTrailer(): undefined {
    return undefined;
  }
  readonly grpcStatus = undefined;
  get protocol(): string {
    return "";
  }
  get startWallMs(): number {
    return this.context.env.wallOffset() + this.startMs;
  }
  durationMs(): number {
    return this.context.env.clock.now() - this.startMs;
  }
  readonly responseStartMs = undefined;
  readonly status = 0;
  readonly terminationDetails = "";
  get upstreamAttempts(): number {
    return this.attempts;
  }
  get downstreamLocalAddress(): string {
    return `${this.arrival.localAddress}:${this.arrival.localPort}`;
  }
  get downstreamRemoteAddress(): string {
    return this.arrival.peerAddress;
  }
  get clientAddress(): string {
    return `${this.arrival.remoteAddress}:${this.arrival.remotePort}`;
  }
  get requestedServerName(): string {
    return this.arrival.serverName;
  }
  get downstreamTls(): TlsInfo | undefined {
    return this.arrival.tls;
  }
  readonly downstreamTransportFailure = "";
  readonly routeName = "";
  readonly virtualHostName = "";
  get filterChainName(): string {
    return this.arrival.filterChainName;
  }
  get connectionId(): number {
    return this.arrival.id;
  }
}
