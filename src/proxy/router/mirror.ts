// Copies of a request for mirror clusters. Nobody waits for a copy: what goes wrong with it only counts in its cluster's statistics, and one that
// takes the body more slowly than the request itself is dropped where Envoy would hold back the caller.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-requestmirrorpolicy
import type { MirrorPolicy } from "../config/index.ts";
import type { OutgoingRequest } from "../http/outgoing-request.ts";
import { type Trailers, upgradeToken } from "../http/message.ts";
import type { Environment } from "../network/environment.ts";
import { answerTo, type ResetReason } from "../observe/failure.ts";
import { canRequest } from "../upstream/circuit-breaker.ts";
import type { Cluster } from "../upstream/cluster.ts";
import { countAnswer, countStatus } from "../upstream/cluster-stats.ts";
import type { NamedRequest } from "../upstream/connection-names.ts";
import type { Host } from "../upstream/host.ts";
import { onlyTarget } from "../upstream/lb/picker.ts";
import type { PoolRequest } from "../upstream/pool/pool.ts";
import type { AnswerStart, BodyPart, UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { HostPlace } from "./host-place.ts";
import { reportAnswer } from "./host-report.ts";
import { copiedHeaders, copiedRequest, shadowHost } from "./mirror-head.ts";
import { type BodyFlow, bodyTarget, RequestBody } from "./request-body.ts";
import type { RequestPlan } from "./request-out.ts";
import { type TimeoutEvents, Timeouts } from "./timeouts.ts";
import { httpPoolKind, namedRequest, poolFor } from "./upstream-choice.ts";

/** How much of a body may wait for a mirror beyond what the request itself had to wait for. */
const BACKLOG = 1_048_576;
/** What a part costs beyond its bytes. */
const PART_COST = 256;

/** One copy for each mirror that this request is meant for, once the request itself is prepared and has a host to go to. */
export function startMirrors(exchange: Exchange, plan: ForwardPlan, request: RequestPlan): readonly Mirror[] {
  const { head, manager } = exchange;
  if (head.method === "CONNECT") return [];
  const { clusters, rng } = manager.env;
  let draw = -1;
  const drawn = ({ fraction }: MirrorPolicy): boolean => {
    if (fraction === undefined || fraction >= 1) return true;
    // One draw for all of them, as Envoy takes them all from the request's own random number.
    if (draw < 0) draw = rng.random();
    return draw < fraction;
  };
  const started: Mirror[] = [];
  for (const policy of plan.mirrors ?? []) {
    if (!drawn(policy)) continue;
    const { cluster: named } = policy;
    const cluster = clusters.get(named.kind === "cluster" ? named.name : (exchange.requestHeader(named.header) ?? ""));
    if (cluster === undefined) continue;
    const mirror = new Mirror(exchange, cluster);
    mirror.start(exchange, plan, { request, shadowSuffix: policy.shadowSuffix });
    started.push(mirror);
  }
  return started;
}

export class Mirror implements PoolRequest, BodyFlow, TimeoutEvents {
  private readonly cluster: Cluster;
  private readonly env: Environment;
  /** Valid until `detach`. */
  private exchange: Exchange | undefined;
  private out!: OutgoingRequest;
  private readonly body = new RequestBody();
  private readonly place = new HostPlace(this.body);
  private readonly timeouts = new Timeouts(this);
  private upgrade = false;
  private running = true;
  private answered = false;
  private behind = false;
  private backlog = 0;
  private readonly grpc: boolean;
  readonly expectsNoBody: boolean;

  constructor(exchange: Exchange, cluster: Cluster) {
    this.exchange = exchange;
    this.cluster = cluster;
    this.env = exchange.manager.env;
    this.grpc = exchange.head.grpc;
    this.expectsNoBody = exchange.head.method === "HEAD";
  }

  start(exchange: Exchange, plan: ForwardPlan, { request, shadowSuffix }: { request: RequestPlan; shadowSuffix: boolean }): void {
    const { cluster, env } = this;
    const { head } = exchange;
    const authority = shadowSuffix ? shadowHost(exchange.authority) : exchange.authority;
    // The host of a copy is the one that it names itself.
    const named = cluster.config.type === "DYNAMIC";
    const host = named ? cluster.pick(onlyTarget(authority)) : cluster.pick();
    if (host === undefined && !named) {
      this.noHost();
      return;
    }
    if (!canRequest(cluster.usage, cluster.config.breakers)) {
      cluster.stats.rqPendingOverflow.value++;
      this.fail(503);
      return;
    }
    this.upgrade = upgradeToken(head) !== "";
    const { upgrade } = this;
    const kind = httpPoolKind(exchange, cluster);
    const list = copiedHeaders(exchange, request);
    this.out = copiedRequest(exchange, {
      list,
      authority,
      http2: kind === "http2",
      upgrade,
      attempts: request.includeAttemptCount && !exchange.ownAttemptCount ? 1 : 0,
    });
    this.body.start(exchange, bodyTarget(cluster, kind, upgrade), false, this);
    this.timeouts.start(exchange, plan);
    if (this.body.complete) this.timeouts.requestComplete(env.clock.now());
    const asked = cluster.followsRequest ? namedRequest(exchange, cluster, authority) : undefined;
    if (host !== undefined) this.goTo(host, kind, asked);
    else this.lookUp(authority, kind, asked);
  }

  private goTo(host: Host, kind: "http1" | "http2", asked: NamedRequest | undefined): void {
    const { cluster } = this;
    this.place.take(cluster, host);
    const pool = asked === undefined ? cluster.pool(host, kind) : poolFor(asked, { cluster, host, kind });
    const ready = this.place.acquire(pool, this);
    if (ready !== undefined) this.onPoolReady(ready);
  }

  private lookUp(authority: string, kind: "http1" | "http2", asked: NamedRequest | undefined): void {
    const load = this.cluster.loadName(authority, () => {
      if (!this.running) return;
      const host = this.cluster.pick(onlyTarget(authority));
      if (host === undefined) this.noHost();
      else this.goTo(host, kind, asked);
    });
    if (load.kind !== "waits") this.noHost();
  }

  private noHost(): void {
    this.cluster.stats.cxNoneHealthy.value++;
    this.fail(503);
  }

  onPoolReady(stream: UpstreamStream): void {
    this.place.begin(stream, this, this.env.clock.now());
    stream.send(this.out);
    if (this.place.stream === stream) this.body.sendTo(stream);
  }

  onPoolFailure(reason: ResetReason): void {
    this.failedAtHost(reason);
  }

  /** data[part.from, part.to) of the request's body; only valid now. */
  take(data: Buffer, part: BodyPart, end: Trailers): void {
    if (!this.running) return;
    this.timeouts.touch();
    if (this.behind) {
      this.backlog += part.to - part.from + PART_COST;
      if (this.backlog > BACKLOG) {
        this.drop();
        return;
      }
    }
    this.body.take(data, part, end);
    if (part.complete && this.running) this.timeouts.requestComplete(this.env.clock.now());
  }

  pauseRequest(): void {
    this.behind = true;
  }

  resumeRequest(): void {
    this.behind = false;
    this.backlog = 0;
  }

  /** The request itself is over: a copy that lacks some of its body will never be whole, and a tunnel has lost its caller. */
  detach(): void {
    this.exchange = undefined;
    if (this.upgrade || !this.body.complete) this.drop();
  }

  onInformational(): void {}

  onAnswer(stream: UpstreamStream, { head, complete }: AnswerStart): boolean {
    if (head.status === 101 && !this.upgrade) {
      stream.abandon();
      this.onUpstreamReset(stream, "protocol error");
      return true;
    }
    const host = this.place.host as Host;
    if (head.status !== 101) reportAnswer(host, head, this.grpc ? head.first("grpc-status") : undefined);
    countAnswer(this.cluster.stats, host.stats, head.status);
    this.answered = true;
    this.timeouts.answered();
    this.timeouts.touch();
    if (complete) this.finish(stream);
    return true;
  }

  onAnswerData(stream: UpstreamStream, _data: Buffer, { complete }: BodyPart): boolean {
    this.timeouts.touch();
    if (complete) this.finish(stream);
    return true;
  }

  private finish(stream: UpstreamStream): void {
    const { body, cluster, env } = this;
    const { complete } = body;
    const now = env.clock.now();
    if (complete) cluster.stats.rqTime.record(now - this.timeouts.completeAt);
    this.place.leave();
    stream.release(complete, now);
    this.end();
  }

  onUpstreamReset(_stream: UpstreamStream, reason: ResetReason): void {
    const { stats } = this.cluster;
    stats.rqRxReset.value++;
    if (reason === "protocol error") stats.cxProtocolError.value++;
    this.failedAtHost(reason);
  }

  private failedAtHost(reason: ResetReason): void {
    this.place.countFailure(reason);
    this.place.leave();
    if (this.answered) this.end();
    else this.fail(answerTo({ kind: "reset", reason, retried: false }).status);
  }

  /** Counts like an answer, which is what Envoy makes of it. */
  private fail(status: number): void {
    countStatus(this.cluster.stats, status);
    this.end();
  }

  /** Lets go of the upstream, wherever the copy stands. */
  private drop(): void {
    if (!this.running) return;
    this.place.drop(this);
    this.end();
  }

  private end(): void {
    this.running = false;
    this.timeouts.end();
    this.body.clear();
  }

  onOverallTimeout(): void {
    if (!this.running) return;
    this.place.countTimeout();
    countStatus(this.cluster.stats, 504);
    this.drop();
  }

  onPerTryTimeout(): void {}

  onIdleTimeout(): void {
    this.drop();
  }
}
