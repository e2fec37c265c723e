// What an upstream is sent and how: its protocol, whether bytes only pass through in the end, the request in that form, and the pool to ask.
import { upgradeToken } from "../http/message.ts";
import { OutgoingRequest } from "../http/outgoing-request.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import type { ConnectionPool, PoolKind } from "../upstream/pool/pool.ts";
import type { Exchange } from "./exchange.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import { type BodyTarget, bodyTarget } from "./request-body.ts";
import { requestFields } from "./request-fields.ts";
import type { RequestPlan } from "./request-out.ts";
import { requestText } from "./request-text.ts";
import { httpPoolKind, poolOf } from "./upstream-choice.ts";

export class Outgoing {
  readonly request = new OutgoingRequest();
  /** The request asks for another protocol on its connection, and the route lets it. */
  upgrade = false;
  /** CONNECT: a 2xx answer opens a tunnel. */
  connects = false;
  isPrepared = false;
  private readonly exchange: Exchange;
  private plan!: RequestPlan;
  private cluster!: Cluster;
  private kind: PoolKind = "http1";

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** False = the route does not let it upgrade. */
  start(plan: ForwardPlan, request: RequestPlan, cluster: Cluster): boolean {
    const { exchange, request: out } = this;
    const { head } = exchange;
    this.plan = request;
    this.cluster = cluster;
    this.isPrepared = false;
    this.connects = head.method === "CONNECT";
    const token = this.connects ? "connect" : upgradeToken(head);
    this.upgrade = !this.connects && token !== "";
    if (this.mayTunnel && !plan.upgrades.has(token)) return false;
    const { connect } = plan.action;
    const endsHere = connect !== undefined && (this.connects || (connect.allowPost && head.method === "POST"));
    this.kind = endsHere ? "tcp" : httpPoolKind(exchange, cluster);
    out.bodyText = exchange.bodyText;
    out.upgrade = this.upgrade ? head.upgrade : "";
    out.whole = !this.mayTunnel && !exchange.bodyPending;
    return true;
  }

  /** How the upstream wants the request's body. */
  get body(): BodyTarget {
    return bodyTarget(this.cluster, this.kind, this.mayTunnel);
  }

  /** An answer may turn the request into a tunnel, so that it has no end before. */
  get mayTunnel(): boolean {
    return this.upgrade || this.connects;
  }

  /** As logs say it; "" = the upstream gets bytes. */
  get protocol(): string {
    return PROTOCOLS[this.kind];
  }

  prepare(hostRewrite: string | undefined): void {
    const { exchange, request, plan } = this;
    if (this.kind === "http2") request.fields = requestFields(exchange, plan, hostRewrite, this.upgrade);
    else if (this.kind === "http1") request.text = requestText(exchange, plan, hostRewrite, request);
    this.isPrepared = true;
  }

  pool(host: Host): ConnectionPool {
    const { cluster, exchange, kind } = this;
    if (!cluster.followsRequest) return cluster.pool(host, kind);
    return poolOf(exchange, { cluster, host, kind, authority: exchange.authority });
  }
}

const PROTOCOLS: Readonly<Record<PoolKind, string>> = { http1: "HTTP/1.1", http2: "HTTP/2", tcp: "" };
