// The forward action: one request, one or more tries, one answer. Envoy's router filter:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
import { HIGH_WATER } from "../network/conn.ts";
import { Timer } from "../network/timer-wheel.ts";
import type { Failure, ResetReason } from "../observe/failure.ts";
import { FLAG } from "../observe/response-flags.ts";
import { canRequest, canRetry } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import type { Http1Connection, ResponseStart, UpstreamUser } from "../upstream/pool/http1-connection.ts";
import type { PoolRequest } from "../upstream/pool/pool.ts";
import { answerBody } from "./answer-body.ts";
import type { BodyTaker, Exchange } from "./exchange.ts";
import type { ForwardPlan, Target } from "./forward-plan.ts";
import { grpcTimeout } from "./grpc-timeout.ts";
import { HeldBody } from "./held-body.ts";
import { requestText } from "./request-out.ts";
import { respond } from "./respond.ts";
import { beginTunnel, tunnelToCaller, tunnelToUpstream } from "./tunnel.ts";
import { backoffMs, retriesReset, retriesStatus } from "./retry.ts";

/** A pooled connection that had been idle this long and dies without an answer was most likely closed before our request reached it. */
const IDLE_RACE_MS = 200;
const IDLE_RACE_TRIES = 4;
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"]);

const forwardings = new WeakMap<Exchange, Forwarding>();

export function forward(exchange: Exchange, plan: ForwardPlan): void {
  let forwarding = forwardings.get(exchange);
  if (forwarding === undefined) forwardings.set(exchange, (forwarding = new Forwarding(exchange)));
  forwarding.start(plan);
}

class Forwarding implements UpstreamUser, PoolRequest<Http1Connection>, BodyTaker {
  private readonly exchange: Exchange;
  private plan!: ForwardPlan;
  private target!: Target;
  private cluster!: Cluster;
  private host: Host<Http1Connection> | undefined = undefined;
  private connection: Http1Connection | undefined = undefined;
  /** Head without the attempt count and the empty line. */
  private text = "";
  private upgrade = false;
  private running = false;
  private requestComplete = false;
  private readonly body = new HeldBody();
  private callerPaused = false;
  private tried: Host<Http1Connection>[] = [];
  private retries = 0;
  private idleRaces = 0;
  private holdsRetry = false;
  private lastActivity = 0;
  private answeredComplete = false;
  private readonly overall = new Timer(() => this.onOverallTimeout());
  private readonly perTry = new Timer(() => this.onPerTryTimeout());
  private readonly backoff = new Timer(() => this.tryOnce());
  private readonly idle = new Timer(() => this.onIdle());
  expectsNoBody = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  start(plan: ForwardPlan): void {
    const { exchange } = this;
    const { head, caller, manager } = exchange;
    const { env } = manager;
    this.plan = plan;
    const target = plan.choose(exchange);
    this.target = target;
    exchange.upstreamCluster = target.clusterName;
    exchange.responseMutations = target.response;
    if (target.version !== env.clusters.version()) {
      target.cluster = env.clusters.get(target.clusterName);
      target.version = env.clusters.version();
    }
    const cluster = target.cluster;
    if (cluster === undefined) {
      respond(exchange, { kind: "cluster_not_found", status: plan.action.clusterNotFoundStatus });
      return;
    }
    this.cluster = cluster;
    // "downstream" follows the caller's protocol, and callers speak HTTP/1.1 here.
    if (cluster.config.protocol === "http2") {
      respond(exchange, { kind: "protocol_unsupported", protocol: "http2" });
      return;
    }
    this.upgrade = head.upgradeRequested && head.upgrade !== "" && head.upgrade.toLowerCase() !== "h2c";
    if (this.upgrade && !plan.upgrades.has(head.upgrade.toLowerCase())) {
      respond(exchange, { kind: "upgrade_refused" });
      return;
    }
    this.text = requestText(exchange, target.request, target.hostRewrite, this.upgrade);
    this.expectsNoBody = head.method === "HEAD";
    this.running = true;
    this.requestComplete = !caller.bodyPending;
    this.body.start(plan.retry !== undefined);
    this.retries = 0;
    this.idleRaces = 0;
    this.answeredComplete = false;
    if (this.tried.length > 0) this.tried = [];
    exchange.taker = this;
    if (plan.timeoutMs > 0 && this.requestComplete) this.armOverall(exchange.startMs);
    if (plan.idleTimeoutMs > 0) {
      this.lastActivity = exchange.startMs;
      env.wheel.arm(this.idle, exchange.startMs + plan.idleTimeoutMs, exchange.startMs);
    }
    this.tryOnce();
  }

  private armOverall(now: number): void {
    let timeoutMs = this.plan.timeoutMs;
    const { head, manager } = this.exchange;
    const cap = this.plan.action.maxGrpcTimeoutMs;
    if (head.grpc && cap !== undefined) {
      const asked = grpcTimeout(head.first("grpc-timeout"));
      timeoutMs = asked === undefined || (cap > 0 && asked > cap) ? cap : asked;
    }
    if (timeoutMs > 0) manager.env.wheel.arm(this.overall, now + timeoutMs, now);
  }

  private pickHost(): Host<Http1Connection> | undefined {
    const policy = this.plan.retry;
    let host = this.cluster.pick();
    if (policy === undefined || !policy.avoidPreviousHosts || this.tried.length === 0) return host;
    for (let i = 1; i < policy.hostSelectionMaxAttempts && host !== undefined && this.tried.includes(host); i++) host = this.cluster.pick();
    return host;
  }

  private tryOnce(): void {
    const { exchange, cluster } = this;
    const host = this.pickHost();
    if (host === undefined) {
      cluster.stats.cxNoneHealthy.value++;
      this.giveUp({ kind: "no_healthy_upstream" });
      return;
    }
    if (!canRequest(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqPendingOverflow.value++;
      this.giveUp({ kind: "reset", reason: "overflow", retried: this.retries > 0 });
      return;
    }
    exchange.upstreamAttempts++;
    cluster.usage.requests++;
    this.host = host;
    host.stats.rqActive++;
    exchange.upstreamHost = host.name;
    if (this.plan.action.autoHostRewrite && host.config.hostname !== "" && exchange.upstreamAttempts === 1)
      this.text = requestText(exchange, this.target.request, host.config.hostname, this.upgrade);
    const ready = cluster.pool(host).acquire(this);
    if (ready !== undefined) this.onPoolReady(ready);
  }

  /** The try is over: its host and its place in the cluster are free again. */
  private leaveHost(): void {
    const host = this.host;
    if (host === undefined) return;
    this.host = undefined;
    host.stats.rqActive--;
    this.cluster.usage.requests--;
    if (this.connection !== undefined) this.cluster.stats.rqActive.value--;
    this.connection = undefined;
  }

  onPoolReady(connection: Http1Connection): void {
    const { exchange, cluster, plan } = this;
    const { env } = exchange.manager;
    this.connection = connection;
    connection.attach(this, plan.retry === undefined ? exchange.startMs : env.clock.now());
    cluster.stats.rqTotal.value++;
    cluster.stats.rqActive.value++;
    (this.host as Host<Http1Connection>).stats.rqTotal++;
    exchange.upstreamLocalAddress = connection.localAddress;
    const count = this.target.request.includeAttemptCount ? "x-envoy-attempt-count: " + exchange.upstreamAttempts + "\r\n\r\n" : "\r\n";
    connection.conn.writeStr(this.text + count + exchange.bodyText);
    cluster.stats.txBytes.value += this.text.length + exchange.bodyText.length;
    this.body.sendTo(connection.conn);
    if (this.callerPaused) {
      this.callerPaused = false;
      exchange.caller.conn.resume();
    }
    const perTry = plan.retry?.perTryTimeoutMs;
    if (perTry !== undefined && perTry > 0) {
      const now = env.clock.now();
      env.wheel.arm(this.perTry, now + perTry, now);
    }
  }

  onPoolFailure(reason: ResetReason, systemCode: string | undefined): void {
    if (systemCode !== undefined) this.exchange.transportFailure = `delayed connect error: ${systemCode}`;
    this.triedAndFailed(reason, false);
  }

  onRequestData(data: Buffer, part: { from: number; to: number; complete: boolean; tail: string }): void {
    const { exchange, connection } = this;
    this.touch();
    // The read buffer is not ours: what waits for another try or a slow upstream is a copy.
    if (part.to > part.from) this.takeBody(Buffer.from(data.subarray(part.from, part.to)));
    if (part.tail !== "") this.takeBody(Buffer.from(part.tail, "latin1"));
    if (!part.complete) {
      if (connection === undefined && this.body.bytes > HIGH_WATER && !this.callerPaused) {
        this.callerPaused = true;
        exchange.caller.conn.pause();
      }
      return;
    }
    this.requestComplete = true;
    if (this.plan.timeoutMs > 0 && !exchange.responded) this.armOverall(exchange.manager.env.clock.now());
  }

  private takeBody(view: Buffer): void {
    const { connection, exchange } = this;
    if (connection !== undefined) {
      connection.conn.writeSub(view);
      this.cluster.stats.txBytes.value += view.length;
      if (connection.conn.pending() > HIGH_WATER) {
        exchange.caller.conn.pause();
        connection.conn.whenFlushed(() => exchange.caller.conn.resume());
      }
    }
    this.body.hold(view, connection === undefined);
  }

  private touch(): void {
    if (this.plan.idleTimeoutMs > 0) this.lastActivity = this.exchange.manager.env.clock.now();
  }

  onInformational(text: string): void {
    if (this.exchange.caller.minor === 1) this.exchange.caller.conn.writeStr(text);
  }

  onResponse(connection: Http1Connection, start: ResponseStart): boolean {
    const { exchange, plan, cluster } = this;
    const { head } = start;
    const { caller, manager } = exchange;
    const status = head.status;
    const now = manager.env.clock.now();
    this.touch();
    if (status === 101) return this.switchProtocols(connection, start, now);
    const policy = plan.retry;
    if (policy !== undefined) {
      if (retriesStatus(policy, status, head.first("grpc-status")) && this.startRetry(() => this.discard(connection, start.complete)))
        return true;
      if (this.retries > 0 && status < 500) cluster.stats.rqRetrySuccess.value++;
    }
    const stats = cluster.stats;
    (stats.classes[(status / 100) | 0] ?? stats.rqCompleted).value++;
    stats.code(status).value++;
    stats.rqCompleted.value++;
    const hostStats = (this.host as Host).stats;
    if (status < 500) hostStats.rqSuccess++;
    else hostStats.rqError++;

    exchange.status = status;
    exchange.details = "via_upstream";
    exchange.responded = true;
    exchange.responseStartMs = now - exchange.startMs;
    if (this.overall.at !== 0) this.overall.at = 0;
    if (this.perTry.at !== 0) this.perTry.at = 0;
    if (caller.bodyPending) {
      // Answered before the request was all here: what is left of it must not be read as the next one.
      caller.keep = false;
      connection.keep = false;
    } else if (manager.env.draining()) caller.keep = false;

    const rest = answerBody.begin(exchange, connection, start, {
      serviceTimeMs: plan.suppressEnvoyHeaders ? undefined : (now - exchange.startMs) | 0,
      attemptCount: plan.attemptCountInResponse ? exchange.upstreamAttempts : undefined,
    });
    if (rest !== undefined) return this.passOn(connection, rest, { from: 0, to: rest.length, complete: start.complete });
    this.finish(connection);
    return true;
  }

  onResponseData(connection: Http1Connection, data: Buffer, part: { from: number; to: number; complete: boolean }): boolean {
    this.touch();
    return this.passOn(connection, data, part);
  }

  private passOn(connection: Http1Connection, data: Buffer, part: { from: number; to: number; complete: boolean }): boolean {
    const { exchange } = this;
    const free = part.to > part.from ? answerBody.write(exchange, connection, data.subarray(part.from, part.to)) : true;
    if (part.complete) {
      const tail = answerBody.tail(exchange, connection);
      if (tail !== "") exchange.caller.conn.writeStr(tail);
      this.answeredComplete = true;
    }
    if (free) {
      if (part.complete) this.finish(connection);
      return true;
    }
    exchange.caller.conn.whenFlushed(() => {
      if (this.connection !== connection) return;
      connection.conn.resume();
      if (part.complete) this.finish(connection);
    });
    return false;
  }

  onResponseClosed(): void {
    const end = answerBody.closingChunk(this.exchange);
    if (end !== "") this.exchange.caller.conn.writeStr(end);
    this.leaveHost();
    this.done();
  }

  private finish(connection: Http1Connection): void {
    const { exchange, cluster } = this;
    cluster.stats.rqTime.record(exchange.manager.env.clock.now() - exchange.startMs);
    if (!this.requestComplete) connection.keep = false;
    this.leaveHost();
    connection.release();
    this.done();
  }

  /** Everything that the exchange held is given back; the caller's connection goes on. */
  private done(): void {
    this.settle();
    this.exchange.caller.responseDone();
  }

  private settle(): void {
    if (!this.running) return;
    this.running = false;
    this.exchange.taker = undefined;
    this.overall.at = 0;
    this.perTry.at = 0;
    this.backoff.at = 0;
    this.idle.at = 0;
    this.body.clear();
    this.text = "";
    if (this.holdsRetry) {
      this.holdsRetry = false;
      this.cluster.usage.retries--;
    }
    if (this.callerPaused) {
      this.callerPaused = false;
      this.exchange.caller.conn.resume();
    }
  }

  /** Books another try if the policy, the budget and the body allow it. `before` runs when it is going to happen. */
  private startRetry(before: () => void): boolean {
    const { plan, cluster, exchange } = this;
    const policy = plan.retry;
    if (policy === undefined || exchange.responded || !this.body.canReplay) return false;
    if (this.retries >= policy.numRetries) {
      exchange.flags |= FLAG.URX;
      cluster.stats.rqRetryLimit.value++;
      return false;
    }
    if (!this.holdsRetry && !canRetry(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqRetryOverflow.value++;
      return false;
    }
    before();
    this.perTry.at = 0;
    if (!this.holdsRetry) {
      this.holdsRetry = true;
      cluster.usage.retries++;
    }
    this.retries++;
    cluster.stats.rqRetry.value++;
    const { env } = exchange.manager;
    const now = env.clock.now();
    env.wheel.arm(this.backoff, now + backoffMs(policy, this.retries, () => env.rng.random()), now);
    return true;
  }

  private discard(connection: Http1Connection, complete: boolean): void {
    if (this.host !== undefined) this.tried.push(this.host);
    this.leaveHost();
    if (complete && this.requestComplete) connection.release();
    else connection.abandon();
  }

  onUpstreamReset(connection: Http1Connection, reason: ResetReason, systemCode: string | undefined): void {
    const { exchange, cluster } = this;
    cluster.stats.rqRxReset.value++;
    if (reason === "protocol error") cluster.stats.cxProtocolError.value++;
    if (systemCode !== undefined) exchange.transportFailure = systemCode;
    if (exchange.responded) {
      if (this.answeredComplete) {
        // The whole answer is on its way already; only its last bytes wait for a slow caller.
        this.leaveHost();
        exchange.caller.conn.whenFlushed(() => this.done());
        return;
      }
      exchange.flags |= reason === "protocol error" ? FLAG.UPE : FLAG.UC;
      exchange.details = `upstream_reset_after_response_started{${reason.replaceAll(" ", "_")}}`;
      this.leaveHost();
      this.settle();
      exchange.caller.abort();
      return;
    }
    const race = connection.uses > 1 && connection.received === 0 && connection.idleMs >= IDLE_RACE_MS;
    if (race && SAFE.has(exchange.head.method) && this.body.canReplay && this.requestComplete && this.idleRaces < IDLE_RACE_TRIES) {
      this.idleRaces++;
      this.leaveHost();
      exchange.upstreamAttempts--;
      this.tryOnce();
      return;
    }
    this.triedAndFailed(reason, true);
  }

  private triedAndFailed(reason: ResetReason, sent: boolean): void {
    if (this.host !== undefined) {
      this.host.stats.rqError++;
      this.tried.push(this.host);
    }
    this.leaveHost();
    const policy = this.plan.retry;
    if (policy !== undefined && retriesReset(policy, reason, sent) && this.startRetry(() => undefined)) return;
    this.giveUp({ kind: "reset", reason, retried: this.retries > 0 });
  }

  private giveUp(failure: Failure): void {
    this.leaveHost();
    this.settle();
    respond(this.exchange, failure);
  }

  /** Lets go of the upstream, wherever the try stands. */
  private dropUpstream(): void {
    const { connection, host, cluster } = this;
    if (connection === undefined && host !== undefined) cluster.pool(host).cancel(this);
    this.leaveHost();
    if (connection !== undefined) {
      cluster.stats.rqTxReset.value++;
      connection.abandon();
    }
  }

  private onOverallTimeout(): void {
    if (!this.running || this.exchange.responded) return;
    this.cluster.stats.rqTimeout.value++;
    if (this.host !== undefined) this.host.stats.rqTimeout++;
    this.dropUpstream();
    this.giveUp({ kind: "upstream_timeout" });
  }

  private onPerTryTimeout(): void {
    if (!this.running || this.exchange.responded || this.connection === undefined) return;
    this.cluster.stats.rqPerTryTimeout.value++;
    if (this.host !== undefined) this.tried.push(this.host);
    this.dropUpstream();
    const policy = this.plan.retry;
    if (policy !== undefined && retriesReset(policy, "per try timeout", true) && this.startRetry(() => undefined)) return;
    this.giveUp({ kind: "per_try_timeout" });
  }

  private onIdle(): void {
    if (!this.running) return;
    const { exchange, plan } = this;
    const { wheel, clock } = exchange.manager.env;
    const now = clock.now();
    if (now < this.lastActivity + plan.idleTimeoutMs) {
      wheel.arm(this.idle, this.lastActivity + plan.idleTimeoutMs, now);
      return;
    }
    exchange.manager.stats.idleTimeout.value++;
    this.dropUpstream();
    if (!exchange.responded) {
      this.giveUp({ kind: "stream_idle_timeout", requestComplete: this.requestComplete });
      return;
    }
    exchange.flags |= FLAG.SI;
    this.settle();
    exchange.caller.abort();
  }

  onCallerGone(): void {
    if (!this.running) return;
    this.exchange.flags |= FLAG.DC;
    this.exchange.details = "downstream_remote_disconnect";
    this.dropUpstream();
    this.settle();
  }

  private switchProtocols(connection: Http1Connection, start: ResponseStart, now: number): boolean {
    const { exchange } = this;
    if (!this.upgrade) {
      // Nobody asked for it: a second meaning of the bytes that follow is what smuggling lives on.
      connection.abandon();
      this.onUpstreamReset(connection, "protocol error", undefined);
      return true;
    }
    this.overall.at = 0;
    this.perTry.at = 0;
    beginTunnel(exchange, connection, start.head, now);
    return true;
  }

  onTunnelData(data: Buffer, length: number): boolean {
    const { exchange, connection } = this;
    this.touch();
    return connection === undefined || tunnelToCaller(exchange, connection, data.subarray(0, length));
  }

  onTunnelEnd(): void {
    const connection = this.connection;
    if (!this.running) return;
    this.leaveHost();
    connection?.abandon();
    this.done();
  }

  onCallerTunnelEnd(): void {
    if (!this.running) return;
    const connection = this.connection;
    this.leaveHost();
    connection?.conn.end();
    connection?.abandon();
    this.done();
  }

  /** Bytes from the caller into the tunnel. */
  onCallerTunnelData(data: Buffer): void {
    const { connection, exchange } = this;
    this.touch();
    if (connection !== undefined) tunnelToUpstream(exchange, connection, data);
  }
}
