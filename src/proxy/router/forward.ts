// The forward action: one request, one or more tries, one answer. Envoy's router filter:
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter
import type { AnswerHead, Trailers } from "../http/message.ts";
import { answerTo, type Failure, resetFlag, type ResetReason } from "../observe/failure.ts";
import { FLAG } from "../observe/response-flags.ts";
import { canRequest } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { countAnswer, countStatus } from "../upstream/cluster-stats.ts";
import type { Host } from "../upstream/host.ts";
import type { PoolRequest } from "../upstream/pool/pool.ts";
import type { AnswerStart, BodyPart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import { answerList } from "./answer-out.ts";
import type { BodyTaker } from "./caller.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan, Target } from "./forward-plan.ts";
import { HostPlace } from "./host-place.ts";
import { reportAnswer } from "./host-report.ts";
import { type Mirror, startMirrors } from "./mirror.ts";
import { Outgoing } from "./outgoing.ts";
import { RequestBody } from "./request-body.ts";
import { refreshList } from "./request-out.ts";
import { respond } from "./respond.ts";
import { Retries } from "./retries.ts";
import { mayRetry, type RetryRules } from "./retry.ts";
import { type TimeoutEvents, Timeouts } from "./timeouts.ts";

export function forward(exchange: Exchange, plan: ForwardPlan): void {
  exchange.forwarding ??= new Forwarding(exchange);
  exchange.forwarding.start(plan);
}

class Forwarding implements PoolRequest, BodyTaker, TimeoutEvents {
  private readonly exchange: Exchange;
  private plan!: ForwardPlan;
  private target!: Target;
  private cluster!: Cluster;
  private readonly outgoing: Outgoing;
  /** undefined = this request is tried once. */
  private rules: RetryRules | undefined = undefined;
  private running = false;
  private readonly body = new RequestBody();
  private readonly place = new HostPlace(this.body);
  /** undefined = they have not been started. */
  private mirrors: readonly Mirror[] | undefined = undefined;
  private answeredComplete = false;
  private readonly timeouts = new Timeouts(this);
  private readonly retries: Retries;
  expectsNoBody = false;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.outgoing = new Outgoing(exchange);
    this.retries = new Retries(exchange, () => this.tryAgain());
  }

  get connects(): boolean {
    return this.outgoing.connects;
  }

  start(plan: ForwardPlan): void {
    const { exchange } = this;
    const { head, manager } = exchange;
    const { env } = manager;
    this.plan = plan;
    const target = plan.choose(exchange);
    this.target = target;
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
    exchange.upstreamCluster = target.clusterName;
    const { outgoing } = this;
    if (!outgoing.start(plan, target.request, cluster)) {
      respond(exchange, { kind: "upgrade_refused" });
      return;
    }
    this.mirrors = undefined;
    this.expectsNoBody = head.method === "HEAD";
    this.running = true;
    this.rules = plan.retry !== undefined && mayRetry(plan.retry, head) ? plan.retry : undefined;
    this.body.start(exchange, outgoing.body, this.rules !== undefined);
    this.retries.start(this.rules?.policy);
    this.timeouts.start(exchange, plan);
    this.timeouts.tell(exchange, plan);
    if (!plan.action.autoHostRewrite) outgoing.prepare(target.hostRewrite);
    this.retries.hashKey(cluster, plan.hashOf);
    this.answeredComplete = false;
    exchange.takeBody(this);
    if (this.body.complete) this.timeouts.requestComplete(exchange.actionMs);
    this.tryOnce();
  }

  /** The upstream is told anew which try this is, and what time it has. */
  private tryAgain(): void {
    this.timeouts.tell(this.exchange, this.plan);
    refreshList(this.exchange, this.target.request);
    this.retries.hashKey(this.cluster, this.plan.hashOf);
    this.outgoing.isPrepared = false;
    this.tryOnce();
  }

  /** The host as it goes out is looked up; what has been and has no address needs no waiting. */
  private waitsForName(): boolean {
    const { authority } = this.exchange;
    if (authority === "") return false;
    const load = this.cluster.loadName(authority, ({ addresses, problem }) => {
      if (!this.running) return;
      if (addresses.length > 0) this.tryOnce();
      else this.noHost(problem);
    });
    if (load.kind === "known") this.noHost(load.name.problem);
    return load.kind === "waits" || load.kind === "known";
  }

  private noHost(problem?: string): void {
    this.cluster.stats.cxNoneHealthy.value++;
    this.giveUp({ kind: "no_healthy_upstream", ...(problem === undefined ? {} : { problem }) });
  }

  private tryOnce(): void {
    const { exchange, cluster, outgoing } = this;
    const host = this.retries.pickHost(cluster);
    if (host === undefined) {
      if (cluster.config.type !== "DYNAMIC" || !this.waitsForName()) this.noHost();
      return;
    }
    exchange.triesAt(host);
    if (!outgoing.isPrepared) {
      const named = this.plan.action.autoHostRewrite && host.config.hostname !== "";
      outgoing.prepare(named ? host.config.hostname : this.target.hostRewrite);
    }
    if (!canRequest(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqPendingOverflow.value++;
      this.giveUp({ kind: "reset", reason: "overflow", retried: this.retries.count > 0 });
      return;
    }
    this.place.take(cluster, host);
    if (this.plan.mirrors !== undefined && this.mirrors === undefined)
      this.mirrors = startMirrors(exchange, this.plan, this.target.request);
    const ready = this.place.acquire(outgoing.pool(host), this);
    if (ready !== undefined) this.begin(ready, this.rules === undefined ? exchange.actionMs : exchange.manager.env.clock.now());
  }

  onPoolReady(stream: UpstreamStream): void {
    this.begin(stream, this.exchange.manager.env.clock.now());
  }

  private begin(stream: UpstreamStream, now: number): void {
    const { exchange, outgoing } = this;
    this.place.begin(stream, this, now);
    exchange.goesOn(stream, outgoing.protocol);
    if (this.body.complete) exchange.requestSentMs = now - exchange.startMs;
    const { request } = outgoing;
    request.attempts = this.target.request.includeAttemptCount && !exchange.ownAttemptCount ? exchange.upstreamAttempts : 0;
    stream.send(request);
    // A stream that failed at once gets no body: that is for the next try, or for nobody.
    if (this.place.stream !== stream) return;
    this.body.sendTo(stream);
    this.timeouts.startTry();
  }

  onPoolFailure(reason: ResetReason, systemCode: string | undefined): void {
    this.exchange.transportFailure = systemCode ?? "";
    this.triedAndFailed(reason, false);
  }

  onRequestData(data: Buffer, part: BodyPart, end: Trailers): void {
    const { exchange } = this;
    this.timeouts.touch();
    if (this.mirrors !== undefined) for (const mirror of this.mirrors) mirror.take(data, part, end);
    this.body.take(data, part, end);
    if (!part.complete || !this.running) return;
    const now = exchange.manager.env.clock.now();
    exchange.bodyEnds(now, this.place.stream !== undefined);
    this.timeouts.requestComplete(now);
  }

  /** What the caller has heard of one try cannot be taken back by another. */
  onInformational(head: AnswerHead): void {
    const { exchange } = this;
    this.timeouts.touch();
    this.timeouts.touchTry();
    this.rules = undefined;
    if (exchange.config.proxy100Continue) exchange.caller.informational(head);
  }

  onAnswer(stream: UpstreamStream, start: AnswerStart): boolean {
    const { exchange, plan, cluster, outgoing } = this;
    const { head } = start;
    const { status } = head;
    const now = exchange.manager.env.clock.now();
    this.timeouts.touch(now);
    const tunnel = status === 101 || (outgoing.connects && status < 300);
    if (status === 101 && !outgoing.upgrade) {
      // Nobody asked for it: a second meaning of the bytes that follow is what smuggling lives on.
      stream.abandon();
      this.onUpstreamReset(stream, "protocol error", undefined);
      return true;
    }
    if (status !== 101) reportAnswer(this.place.host as Host, head, exchange.head.grpc ? head.first("grpc-status") : undefined);
    const { rules } = this;
    if (rules !== undefined && !tunnel) {
      if (rules.answer(head) && this.startRetry(() => this.discard(stream, start.complete))) return true;
      if (this.retries.count > 0 && status < 500) cluster.stats.rqRetrySuccess.value++;
    }
    countAnswer(cluster.stats, (this.place.host as Host).stats, status);
    if (outgoing.upgrade && !tunnel && status < 400) {
      this.failHandshake(stream, head);
      return true;
    }
    exchange.status = status;
    exchange.details = "via_upstream";
    exchange.responded = true;
    exchange.responseStartMs = now - exchange.startMs;
    this.timeouts.answered();
    this.timeouts.touchTry(now);
    const counted = this.body.complete && !outgoing.mayTunnel && !plan.suppressEnvoyHeaders;
    if (counted) exchange.serviceTimeMs = (now - this.timeouts.completeAt) | 0;
    const rest = exchange.caller.beginAnswer(stream, start, {
      serviceTimeMs: exchange.serviceTimeMs,
      attemptCount: plan.attemptCountInResponse ? exchange.upstreamAttempts : undefined,
    });
    if (rest !== undefined) return this.passOn(stream, rest, { from: 0, to: rest.length, complete: start.complete });
    this.finish(stream, now);
    return true;
  }

  /** The upstream did not switch, and did not say that it will not: the caller gets its head without a body. */
  private failHandshake(stream: UpstreamStream, head: AnswerHead): void {
    const { exchange } = this;
    const { status } = head;
    exchange.status = status;
    exchange.details = "websocket_handshake_unsuccessful";
    exchange.responded = true;
    const list = answerList(exchange, head, { serviceTimeMs: undefined, attemptCount: undefined }, false);
    this.place.leave();
    stream.abandon();
    this.settle();
    exchange.caller.sendWhole({ status, list, body: "", close: true });
    exchange.caller.responseDone(this.now());
  }

  onAnswerData(stream: UpstreamStream, data: Buffer, part: BodyPart): boolean {
    this.timeouts.touch();
    this.timeouts.touchTry();
    return this.passOn(stream, data, part);
  }

  private passOn(stream: UpstreamStream, data: Buffer, part: BodyPart): boolean {
    const { caller } = this.exchange;
    const view = part.from === 0 && part.to === data.length ? data : data.subarray(part.from, part.to);
    let free: boolean;
    if (part.complete) {
      free = caller.endAnswer(view, stream.lasting, stream.trailers);
      this.answeredComplete = true;
    } else free = view.length === 0 || caller.writeAnswer(view, stream.lasting);
    if (free) {
      if (part.complete) this.finish(stream, this.now());
      return true;
    }
    caller.whenFlushed(() => {
      if (this.place.stream !== stream) return;
      stream.resume();
      if (part.complete) this.finish(stream, this.now());
    });
    return false;
  }

  private now(): number {
    return this.exchange.manager.env.clock.now();
  }

  private finish(stream: UpstreamStream, now: number): void {
    const { complete } = this.body;
    if (complete) this.cluster.stats.rqTime.record(now - this.timeouts.completeAt);
    this.place.leave();
    stream.release(complete, now);
    this.done(now);
  }

  /** Everything that the exchange held is given back; the caller's connection goes on. */
  private done(now: number): void {
    this.settle();
    this.exchange.caller.responseDone(now);
  }

  private settle(): void {
    if (!this.running) return;
    this.running = false;
    this.exchange.taker = undefined;
    this.timeouts.end();
    this.retries.end();
    this.body.clear();
    this.outgoing.request.clear();
    if (this.mirrors !== undefined) for (const mirror of this.mirrors) mirror.detach();
    this.mirrors = undefined;
  }

  /** Books another try if the policy, the budget and the body allow it. `before` runs when it is going to happen. */
  private startRetry(before: () => void): boolean {
    const { rules, cluster, exchange } = this;
    if (rules === undefined || exchange.responded || !this.body.canReplay) return false;
    if (!this.retries.allowed(exchange, cluster, rules.policy)) return false;
    before();
    this.timeouts.endTry();
    this.retries.schedule(cluster, rules.policy, exchange.manager.env);
    return true;
  }

  private retriesAfter(reason: ResetReason, sent: boolean): boolean {
    return this.rules?.reset(reason, sent) === true && this.startRetry(() => undefined);
  }

  private discard(stream: UpstreamStream, complete: boolean): void {
    this.retries.failedAt(this.place.host);
    this.place.leave();
    if (complete && this.body.complete) stream.release(true, this.now());
    else stream.abandon();
  }

  onUpstreamReset(stream: UpstreamStream, reason: ResetReason, systemCode: string | undefined): void {
    const { exchange, cluster } = this;
    cluster.stats.rqRxReset.value++;
    if (reason === "protocol error") cluster.stats.cxProtocolError.value++;
    if (systemCode !== undefined) exchange.transportFailure = systemCode;
    if (exchange.responded) {
      if (this.answeredComplete) {
        // The whole answer is on its way already; only its last bytes wait for a slow caller.
        this.place.leave();
        exchange.caller.whenFlushed(() => this.done(this.now()));
        return;
      }
      this.breakOff(resetFlag(reason), `upstream_reset_after_response_started{${reason.replaceAll(" ", "_")}}`);
      return;
    }
    if (stream.outraced && this.body.canReplay && this.body.complete && this.retries.afterRace()) {
      this.place.leave();
      this.tryOnce();
      return;
    }
    this.triedAndFailed(reason, true);
  }

  private triedAndFailed(reason: ResetReason, sent: boolean): void {
    this.place.countFailure(reason);
    this.retries.failedAt(this.place.host);
    this.place.leave();
    if (this.retriesAfter(reason, sent)) return;
    this.giveUp({ kind: "reset", reason, retried: this.retries.count > 0, transport: sent ? "" : this.exchange.transportFailure });
  }

  private giveUp(failure: Failure): void {
    this.place.leave();
    this.settle();
    // In Envoy the idle time-out is the connection manager's, and no answer of the cluster.
    // What the connection manager says is nothing of the cluster's.
    if (failure.kind !== "stream_idle_timeout" && failure.kind !== "max_duration")
      countStatus(this.cluster.stats, answerTo(failure).status);
    respond(this.exchange, failure);
  }

  onOverallTimeout(): void {
    if (!this.running || this.exchange.responded) return;
    this.place.countTimeout();
    this.place.drop(this);
    this.giveUp({ kind: "upstream_timeout" });
  }

  onPerTryTimeout(kind: "per_try_timeout" | "per_try_idle_timeout"): void {
    const { exchange, cluster } = this;
    if (!this.running || this.place.stream === undefined) return;
    if (exchange.responded) {
      if (kind === "per_try_timeout") return;
      this.place.drop(this);
      this.breakOff(FLAG.UT, "upstream_per_try_idle_timeout");
      return;
    }
    this.place.host?.outlier?.putOutcome("timeout");
    if (kind === "per_try_timeout") cluster.stats.rqPerTryTimeout.value++;
    else cluster.stats.rqPerTryIdleTimeout.value++;
    this.retries.failedAt(this.place.host);
    this.place.drop(this);
    if (this.retriesAfter("local reset", true)) return;
    this.giveUp({ kind });
  }

  /** The answer has begun and cannot be ended well. */
  private breakOff(flag: number, details: string): void {
    const { exchange } = this;
    exchange.flags |= flag;
    exchange.details = details;
    this.place.leave();
    this.settle();
    exchange.caller.abort();
  }

  onIdleTimeout(): void {
    if (!this.running) return;
    const { exchange } = this;
    exchange.manager.stats.idleTimeout.value++;
    this.place.drop(this);
    if (exchange.responded) this.breakOff(FLAG.SI, "stream_idle_timeout");
    else this.giveUp({ kind: "stream_idle_timeout", requestComplete: this.body.complete });
  }

  onMaxDuration(): void {
    if (!this.running) return;
    const { exchange } = this;
    exchange.manager.stats.rqMaxDuration.value++;
    this.place.drop(this);
    if (exchange.responded) this.breakOff(0, "max_duration_timeout");
    else this.giveUp({ kind: "max_duration", requestComplete: this.body.complete });
  }

  onCallerGone(): void {
    if (!this.running) return;
    this.exchange.flags |= FLAG.DC;
    this.exchange.details = "downstream_remote_disconnect";
    this.place.drop(this);
    this.settle();
  }

  /** The caller's side of a tunnel is over: what is under way to the upstream still arrives. */
  onTunnelEnd(): void {
    const { exchange, running } = this;
    const { stream } = this.place;
    if (!running) return;
    exchange.flags |= FLAG.DC;
    exchange.details = "downstream_remote_disconnect";
    this.place.leave();
    stream?.whenWritable(() => stream.abandon());
    this.done(this.now());
  }
}
