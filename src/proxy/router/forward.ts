// The forward action: one request, one or more tries, one answer. Envoy's router filter:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
import { HIGH_WATER } from "../network/conn.ts";
import type { Failure, ResetReason } from "../observe/failure.ts";
import { FLAG } from "../observe/response-flags.ts";
import { canRequest } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { countAnswer } from "../upstream/cluster-stats.ts";
import type { Host } from "../upstream/host.ts";
import type { Http1Connection, ResponseStart, UpstreamUser } from "../upstream/pool/http1-connection.ts";
import type { PoolRequest } from "../upstream/pool/pool.ts";
import { answerBody } from "./answer-body.ts";
import type { BodyTaker, Exchange } from "./exchange.ts";
import type { ForwardPlan, Target } from "./forward-plan.ts";
import { HeldBody } from "./held-body.ts";
import { requestText } from "./request-out.ts";
import { respond } from "./respond.ts";
import { beginTunnel, tunnelToCaller, tunnelToUpstream } from "./tunnel.ts";
import { Retries } from "./retries.ts";
import { retriesReset, retriesStatus } from "./retry.ts";
import { type TimeoutEvents, Timeouts } from "./timeouts.ts";

/** A pooled connection that had been idle this long and dies without an answer was most likely closed before our request reached it. */
const IDLE_RACE_MS = 200;
const IDLE_RACE_TRIES = 4;
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"]);

const forwardings = new WeakMap<Exchange, Forwarding>();

export function forward(exchange: Exchange, plan: ForwardPlan): void {
  const forwarding = forwardings.get(exchange) ?? new Forwarding(exchange);
  forwardings.set(exchange, forwarding);
  forwarding.start(plan);
}

class Forwarding implements UpstreamUser, PoolRequest<Http1Connection>, BodyTaker, TimeoutEvents {
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
  private idleRaces = 0;
  private answeredComplete = false;
  private readonly timeouts = new Timeouts(this);
  private readonly retries = new Retries(() => this.tryOnce());
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
    if (!plan.action.autoHostRewrite) this.text = requestText(exchange, target.request, target.hostRewrite, this.upgrade);
    this.expectsNoBody = head.method === "HEAD";
    this.running = true;
    this.requestComplete = !caller.bodyPending;
    this.body.start(plan.retry !== undefined);
    this.retries.start();
    this.idleRaces = 0;
    this.answeredComplete = false;
    exchange.taker = this;
    this.timeouts.start(env, plan.idleTimeoutMs, exchange.actionMs);
    if (this.requestComplete) this.timeouts.startOverall(exchange, plan, exchange.actionMs);
    this.tryOnce();
  }

  private tryOnce(): void {
    const { exchange, cluster } = this;
    const host = this.retries.pickHost(cluster, this.plan.retry);
    if (host === undefined) {
      cluster.stats.cxNoneHealthy.value++;
      this.giveUp({ kind: "no_healthy_upstream" });
      return;
    }
    if (!canRequest(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqPendingOverflow.value++;
      this.giveUp({ kind: "reset", reason: "overflow", retried: this.retries.count > 0 });
      return;
    }
    exchange.upstreamAttempts++;
    cluster.usage.requests++;
    this.host = host;
    host.stats.rqActive++;
    exchange.upstreamHost = host.name;
    if (this.text === "") {
      const name = host.config.hostname === "" ? this.target.hostRewrite : host.config.hostname;
      this.text = requestText(exchange, this.target.request, name, this.upgrade);
    }
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
    connection.attach(this, plan.retry === undefined ? exchange.actionMs : env.clock.now());
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
    const perTry = plan.retry?.perTryTimeoutMs ?? 0;
    if (perTry > 0) this.timeouts.startTry(perTry);
  }

  onPoolFailure(reason: ResetReason, systemCode: string | undefined): void {
    if (systemCode !== undefined) this.exchange.transportFailure = `delayed connect error: ${systemCode}`;
    this.triedAndFailed(reason, false);
  }

  onRequestData(data: Buffer, part: { from: number; to: number; complete: boolean; tail: string }): void {
    const { exchange, connection } = this;
    this.timeouts.touch();
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
    if (!exchange.responded) this.timeouts.startOverall(exchange, this.plan, exchange.manager.env.clock.now());
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

  onInformational(text: string): void {
    if (this.exchange.caller.minor === 1) this.exchange.caller.conn.writeStr(text);
  }

  onResponse(connection: Http1Connection, start: ResponseStart): boolean {
    const { exchange, plan, cluster } = this;
    const { head } = start;
    const { caller, manager } = exchange;
    const status = head.status;
    const now = manager.env.clock.now();
    this.timeouts.touch();
    if (status === 101) return this.switchProtocols(connection, start, now);
    const policy = plan.retry;
    if (policy !== undefined) {
      if (retriesStatus(policy, status, head.first("grpc-status")) && this.startRetry(() => this.discard(connection, start.complete)))
        return true;
      if (this.retries.count > 0 && status < 500) cluster.stats.rqRetrySuccess.value++;
    }
    countAnswer(cluster.stats, (this.host as Host).stats, status);
    exchange.status = status;
    exchange.details = "via_upstream";
    exchange.responded = true;
    exchange.responseStartMs = now - exchange.startMs;
    this.timeouts.answered();
    if (caller.bodyPending) {
      // Answered before the request was all here: what is left of it must not be read as the next one.
      caller.keep = false;
      connection.keep = false;
    } else if (manager.env.draining()) caller.keep = false;

    const rest = answerBody.begin(exchange, connection, start, {
      serviceTimeMs: plan.suppressEnvoyHeaders ? undefined : (now - exchange.actionMs) | 0,
      attemptCount: plan.attemptCountInResponse ? exchange.upstreamAttempts : undefined,
    });
    if (rest !== undefined) return this.passOn(connection, rest, { from: 0, to: rest.length, complete: start.complete });
    this.finish(connection);
    return true;
  }

  onResponseData(connection: Http1Connection, data: Buffer, part: { from: number; to: number; complete: boolean }): boolean {
    this.timeouts.touch();
    return this.passOn(connection, data, part);
  }

  private passOn(connection: Http1Connection, data: Buffer, part: { from: number; to: number; complete: boolean }): boolean {
    const { exchange } = this;
    const free = part.to <= part.from || answerBody.write(exchange, data.subarray(part.from, part.to));
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
    cluster.stats.rqTime.record(exchange.manager.env.clock.now() - exchange.actionMs);
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
    this.timeouts.end();
    this.retries.end();
    this.body.clear();
    this.text = "";
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
    if (!this.retries.allowed(exchange, cluster, policy)) return false;
    before();
    this.timeouts.endTry();
    this.retries.schedule(cluster, policy, exchange.manager.env);
    return true;
  }

  private retriesAfter(reason: ResetReason | "per try timeout", sent: boolean): boolean {
    const policy = this.plan.retry;
    return policy !== undefined && retriesReset(policy, reason, sent) && this.startRetry(() => undefined);
  }

  private discard(connection: Http1Connection, complete: boolean): void {
    this.retries.failedAt(this.host);
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
      this.retries.failedAt(this.host);
    }
    this.leaveHost();
    if (this.retriesAfter(reason, sent)) return;
    this.giveUp({ kind: "reset", reason, retried: this.retries.count > 0 });
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

  onOverallTimeout(): void {
    if (!this.running || this.exchange.responded) return;
    this.cluster.stats.rqTimeout.value++;
    if (this.host !== undefined) this.host.stats.rqTimeout++;
    this.dropUpstream();
    this.giveUp({ kind: "upstream_timeout" });
  }

  onPerTryTimeout(): void {
    if (!this.running || this.exchange.responded || this.connection === undefined) return;
    this.cluster.stats.rqPerTryTimeout.value++;
    this.retries.failedAt(this.host);
    this.dropUpstream();
    if (this.retriesAfter("per try timeout", true)) return;
    this.giveUp({ kind: "per_try_timeout" });
  }

  onIdleTimeout(): void {
    if (!this.running) return;
    const { exchange } = this;
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
    this.timeouts.answered();
    beginTunnel(exchange, connection, start.head, now);
    return true;
  }

  onTunnelData(data: Buffer, length: number): boolean {
    const { exchange, connection } = this;
    this.timeouts.touch();
    return connection === undefined || tunnelToCaller(exchange, connection, data.subarray(0, length));
  }

  /** Either side has said its last: what is under way to the other one still arrives. */
  onTunnelEnd(): void {
    const { connection, running } = this;
    if (!running) return;
    this.leaveHost();
    connection?.conn.whenFlushed(() => connection.abandon());
    this.done();
  }

  /** Bytes from the caller into the tunnel. */
  onCallerTunnelData(data: Buffer): void {
    const { connection, exchange } = this;
    this.timeouts.touch();
    if (connection !== undefined) tunnelToUpstream(exchange, connection, data);
  }
}
