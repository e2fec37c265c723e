// The TCP proxy filter: one upstream connection per caller's connection, bytes both ways with back-pressure, half-close passed on.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/tcp_proxy_filter
import type { TcpProxyConfig } from "../config/index.ts";
import type { AccessLogger } from "../observe/access-log.ts";
import type { ResetReason } from "../observe/failure.ts";
import { NoHttp } from "../observe/no-http.ts";
import { FLAG } from "../observe/response-flags.ts";
import { scopedSpec } from "../observe/stats.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import { canConnect } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { NO_REQUEST, type RequestNames, requestNames } from "../upstream/connection-names.ts";
import { type Host, hostName } from "../upstream/host.ts";
import type { PickContext } from "../upstream/lb/picker.ts";
import type { PriorityLoads, PriorityState } from "../upstream/lb/priority-loads.ts";
import { type Hash64, hashAddress } from "../hash/index.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import type { Arrival } from "./arrival.ts";
import type { Conn, ConnHandler } from "./conn.ts";
import type { Environment } from "./environment.ts";
import { planTunnel, TcpTunnel, type TunnelPlan } from "./tcp-tunnel.ts";
import { openTcp, type TcpUpstream, type TcpUpstreamUser } from "./tcp-upstream.ts";
import { Timer } from "./timer-wheel.ts";

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
    maxDuration: counter("max_downstream_connection_duration"),
  };
  const loggers: AccessLogger[] = [];
  for (const log of config.accessLogs) {
    const made = env.accessLogs.logger(log);
    if (made.ok) loggers.push(made.value);
  }
  const total = config.clusters.reduce((sum, { weight }) => sum + weight, 0);

  const tunnel = config.tunnel === undefined ? undefined : planTunnel(config.tunnel);

  function chooseCluster(serverName: string): string {
    if (config.sniCluster && serverName !== "") return serverName;
    if (config.clusters.length === 1) return config.clusters[0]?.name ?? "";
    let draw = env.rng.random() * total;
    for (const { name, weight } of config.clusters) {
      draw -= weight;
      if (draw < 0) return name;
    }
    return config.clusters.at(-1)?.name ?? "";
  }

  return {
    config,
    accept: (arrival) => new TcpSession({ config, env, stats, loggers, tunnel, clusterName: chooseCluster(arrival.serverName) }, arrival),
  };
}

interface SessionContext {
  readonly config: TcpProxyConfig;
  readonly env: Environment;
  readonly stats: Readonly<Record<"cxTotal" | "rxBytes" | "txBytes" | "noRoute" | "idleTimeout" | "maxDuration", { value: number }>>;
  readonly loggers: readonly AccessLogger[];
  readonly tunnel: TunnelPlan | undefined;
  readonly clusterName: string;
}

export class TcpSession extends NoHttp implements ConnHandler, TcpUpstreamUser, StreamInfo, PickContext {
  conn!: Conn;
  private readonly context: SessionContext;
  private readonly arrival: Arrival;
  private readonly startMs: number;
  private upstream: TcpUpstream | undefined = undefined;
  private connected = false;
  private cluster: Cluster | undefined = undefined;
  private waiting: Buffer[] = [];
  private attempts = 0;
  /** Its name was looked up. */
  private asked = false;
  private callerEnded = false;
  private upstreamEnded = false;
  private over = false;
  private lastActivity: number;
  private readonly idleTimer = new Timer(() => this.onIdle());
  private readonly ageTimer = new Timer(() => this.onAge());
  flags = 0;
  details = "";
  transportFailure = "";
  private uniqueId = "";
  bytesReceived = 0;
  bytesSent = 0;
  upstreamHost = "";
  upstreamHostname = "";
  upstreamLocalAddress = "";
  upstreamTls: TlsInfo | undefined = undefined;
  upstreamCluster = "";

  constructor(context: SessionContext, arrival: Arrival) {
    super();
    this.context = context;
    this.arrival = arrival;
    this.startMs = context.env.clock.now();
    this.lastActivity = this.startMs;
    context.stats.cxTotal.value++;
  }

  get busy(): boolean {
    return !this.over;
  }

  opened(): void {
    const { env, config } = this.context;
    this.cluster = env.clusters.get(this.context.clusterName);
    if (this.cluster === undefined) {
      this.context.stats.noRoute.value++;
      this.flags |= FLAG.NC;
      this.close();
      return;
    }
    this.upstreamCluster = this.context.clusterName;
    const { idleTimeoutMs, maxConnectionDurationMs } = config;
    if (idleTimeoutMs > 0) env.wheel.arm(this.idleTimer, this.startMs + idleTimeoutMs, this.startMs);
    if (maxConnectionDurationMs > 0) env.wheel.arm(this.ageTimer, this.startMs + maxConnectionDurationMs, this.startMs);
    if (config.dynamicPort !== undefined && this.target !== undefined && this.cluster.config.type === "DYNAMIC")
      this.waitForName(this.cluster, true);
    else this.connect(this.cluster);
  }

  /** What was looked up already is connected to at once; what cannot be looked up ends the connection. */
  private waitForName(cluster: Cluster, first: boolean): void {
    const goOn = (addresses: readonly string[]): void => {
      if (this.over) return;
      if (addresses.length > 0) this.connect(cluster);
      else if (first) this.close();
      else this.noHost(cluster);
    };
    const load = cluster.loadName(this.target ?? "", ({ addresses }) => goOn(addresses));
    if (load.kind === "known") goOn(load.name.addresses);
    else if (load.kind !== "waits") goOn([]);
  }

  private noHost(cluster: Cluster): void {
    cluster.stats.cxNoneHealthy.value++;
    this.flags |= FLAG.UH;
    this.close();
  }

  /** TCP has no message end to wait for: connections live on until their limit. */
  drain(): void {}

  private connect(cluster: Cluster): void {
    const host = cluster.asksForContext ? cluster.pick(this) : cluster.pick();
    if (host === undefined) {
      const named = cluster.config.type === "DYNAMIC" && this.context.config.dynamicPort === undefined && this.target !== undefined;
      if (named && !this.asked) {
        this.asked = true;
        this.waitForName(cluster, false);
      } else this.noHost(cluster);
      return;
    }
    const { env, tunnel } = this.context;
    // A tunnel's connections are the pool's, which counts them itself.
    if (tunnel === undefined && !canConnect(cluster.usage, cluster.config.breakers)) {
      cluster.stats.cxOverflow.value++;
      this.flags |= FLAG.UO;
      this.close();
      return;
    }
    this.attempts++;
    this.upstreamHost = host.name;
    this.upstreamHostname = host.config.hostname;
    const target = { env, cluster, host, names: this.names(cluster, host) };
    if (tunnel === undefined) {
      this.upstream = openTcp(target, this);
      return;
    }
    const opened = new TcpTunnel(tunnel, target, this);
    this.upstream = opened;
    opened.open();
  }

  /** The name that TLS sends follows an HTTP request only. */
  private names(cluster: Cluster, host: Host): RequestNames {
    const { arrival } = this;
    if (!cluster.followsRequest) return NO_REQUEST;
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

  onReady(): void {
    const { upstream } = this;
    if (upstream === undefined) return;
    this.connected = true;
    this.upstreamTls = upstream.tls;
    this.upstreamLocalAddress = upstream.localAddress;
    for (const part of this.waiting) upstream.write(part);
    this.waiting = [];
    this.conn.resume();
    if (this.callerEnded) upstream.end();
  }

  onData(data: Buffer, length: number): boolean {
    const { upstream } = this;
    this.bytesReceived += length;
    this.context.stats.rxBytes.value += length;
    this.lastActivity = this.context.env.clock.now();
    const view = data.subarray(0, length);
    if (upstream === undefined || !this.connected) {
      this.waiting.push(Buffer.from(view));
      this.conn.pause();
      return true;
    }
    if (!upstream.write(view)) {
      this.conn.pause();
      upstream.whenWritable(() => this.conn.resume());
    }
    return true;
  }

  onUpstreamData(view: Buffer): boolean {
    const { upstream } = this;
    this.bytesSent += view.length;
    this.context.stats.txBytes.value += view.length;
    this.lastActivity = this.context.env.clock.now();
    const free = this.conn.writePart(view);
    if (!free) this.conn.whenFlushed(() => upstream?.resume());
    return free;
  }

  onEnd(): void {
    this.callerEnded = true;
    if (this.connected) this.upstream?.end();
    if (this.upstreamEnded) this.close();
  }

  onUpstreamEnd(): void {
    this.upstreamEnded = true;
    this.conn.end();
    if (this.callerEnded) this.close();
  }

  onUpstreamClosed(reset: boolean): void {
    if (!reset) {
      this.close();
      return;
    }
    this.flags |= FLAG.UR;
    this.finish();
    this.conn.reset();
  }

  onFailed(reason: ResetReason, failure: string | undefined): void {
    if (this.over) return;
    const { cluster } = this;
    this.upstream = undefined;
    this.transportFailure = failure ?? "";
    if (cluster !== undefined && this.attempts < Math.max(1, this.context.config.maxConnectAttempts)) {
      this.connect(cluster);
      return;
    }
    if (cluster !== undefined) cluster.stats.cxConnectAttemptsExceeded.value++;
    this.flags |= reason === "overflow" ? FLAG.UO : FLAG.UF | FLAG.URX;
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

  private onAge(): void {
    if (this.over) return;
    this.context.stats.maxDuration.value++;
    this.flags |= FLAG.DT;
    this.close();
  }

  private close(): void {
    if (this.over) return;
    const upstream = this.finish();
    // What the caller sent last still goes out, where there is somebody to take it.
    if (this.connected) upstream?.close();
    else upstream?.drop();
    this.conn.end();
    this.conn.whenFlushed(() => this.conn.destroy());
  }

  private finish(): TcpUpstream | undefined {
    this.over = true;
    const { upstream } = this;
    const { wheel } = this.context.env;
    this.upstream = undefined;
    wheel.remove(this.idleTimer);
    wheel.remove(this.ageTimer);
    for (const logger of this.context.loggers) logger.log(this);
    return upstream;
  }

  onClose(_reason: string | undefined, reset = false): void {
    // A caller that broke off is no caller that ended.
    if (reset && !this.over) this.finish()?.drop();
    else this.close();
    this.arrival.onClosed();
  }

  /** Looked for by hashing balancers. */
  get hash(): Hash64 | undefined {
    const { remoteAddress } = this.arrival;
    return this.context.config.hashSourceIp && !isSocketPath(remoteAddress) ? hashAddress(remoteAddress) : undefined;
  }
  get destination(): string | undefined {
    return this.arrival.originalDestination;
  }
  /** The name in the TLS hello. */
  get target(): string | undefined {
    const { serverName } = this.arrival;
    if (serverName === "") return undefined;
    const { dynamicPort } = this.context.config;
    return dynamicPort === undefined ? serverName : `${serverName}:${dynamicPort}`;
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
  get startWallMs(): number {
    return this.context.env.wallOffset() + this.startMs;
  }
  durationMs(): number {
    return this.context.env.clock.now() - this.startMs;
  }
  get upstreamStatName(): string {
    return this.cluster?.statName ?? this.upstreamCluster;
  }
  get upstreamAttempts(): number {
    return this.attempts;
  }
  get downstreamLocalAddress(): string {
    return hostName(this.arrival.localAddress, this.arrival.localPort);
  }
  get downstreamDirectLocalAddress(): string {
    return this.arrival.directLocalAddress;
  }
  get streamId(): string {
    return (this.uniqueId ||= crypto.randomUUID());
  }
  readonly logType = "TcpConnectionEnd";
  get downstreamRemoteAddress(): string {
    return this.arrival.peerAddress;
  }
  get clientAddress(): string {
    return hostName(this.arrival.remoteAddress, this.arrival.remotePort);
  }
  get requestedServerName(): string {
    return this.arrival.serverName;
  }
  get downstreamTls(): TlsInfo | undefined {
    return this.arrival.tls;
  }
  readonly downstreamTransportFailure = "";
  get filterChainName(): string {
    return this.arrival.filterChainName;
  }
  get connectionId(): number {
    return this.arrival.id;
  }
}
