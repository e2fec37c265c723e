// One request and its answer: what the layers of the request path read and write. It is used again for other requests, of other callers too.
import type { HttpConnectionManagerConfig, Route, RouteTable, VirtualHost } from "../config/index.ts";
import type { HeaderList } from "../http/header-list.ts";
import { type AnswerHead, type RequestHead, trailerFields, type Trailers } from "../http/message.ts";
import type { ConnectionManager } from "../network/connection-manager.ts";
import { grpcStatusOf, parseGrpcStatus } from "../observe/grpc-status.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import { type Host, hostName } from "../upstream/host.ts";
import type { UpstreamStream } from "../upstream/pool/upstream-stream.ts";
import type { BodyTaker, Caller } from "./caller.ts";
import type { ForwardPlan } from "./forward-plan.ts";
import type { CompiledMutations } from "./header-mutation.ts";

/** A request's way through the proxy; each layer calls the next when it can go on. */
export type Service = (exchange: Exchange) => void;
export type Layer = (inner: Service) => Service;

export class Exchange implements StreamInfo {
  /** As filters show it to what comes after them; the connection or stream itself is `own`. */
  caller!: Caller;
  own!: Caller;
  manager!: ConnectionManager;
  head!: RequestHead;
  table: RouteTable | undefined = undefined;
  virtualHost: VirtualHost | undefined = undefined;
  route: Route | undefined = undefined;
  taker: BodyTaker | undefined = undefined;
  /** What a filter does to the request's body before the action gets it. */
  bodyFilter: ((taker: BodyTaker) => BodyTaker) | undefined = undefined;
  /** The request came as gRPC: answers of our own are in its form. */
  grpcCaller = false;
  /** Set once the answer's head is out. */
  responded = false;
  startMs = 0;
  /** When the route's action began: later than the start by what a filter held the request back. Its time-outs count from here. */
  actionMs = 0;
  endMs = 0;
  status = 0;
  flags = 0;
  details = "";
  terminationDetails = "";
  transportFailure = "";
  bytesReceived = 0;
  bytesSent = 0;
  upstreamProtocol = "";
  upstreamHost = "";
  upstreamHostname = "";
  upstreamCluster = "";
  upstreamLocalAddress = "";
  upstreamAttempts = 0;
  upstreamTls: TlsInfo | undefined = undefined;
  responseStartMs: number | undefined = undefined;
  requestSentMs: number | undefined = undefined;
  /** Where more of it came than its head. */
  bodyEndMs: number | undefined = undefined;
  /** Of whoever the request comes from; port 0 = only its address was told. */
  clientIp = "";
  clientPort = 0;
  /** True when the caller is outside the mesh: at an edge that uses the peer's address. */
  edge = false;
  /** Its complete body when it is small and came with the head. */
  bodyText = "";
  /** A filter holds some of its body back, and gives it to the taker next. */
  bodyHeld = false;
  /** What is sent as path and host; the head keeps what came. */
  path = "";
  authority = "";
  originalPath: string | undefined = undefined;
  /** `x-envoy-expected-rq-timeout-ms` of the try under way; 0 = it is not said. */
  expectedTimeoutMs = 0;
  /** `grpc-timeout` as the upstream is told it, "" = the caller's own stays. */
  grpcTimeout = "";
  /** A rule decided on `x-envoy-attempt-count`. */
  ownAttemptCount = false;
  /** Milliseconds for x-envoy-upstream-service-time, where that was said. */
  serviceTimeMs: number | undefined = undefined;
  /** Outgoing request headers, where a rule edited them. */
  requestList: HeaderList | undefined = undefined;
  /** The answer's headers, where a rule edited them; else its head's text, or the head itself where that lasts. */
  responseList: HeaderList | undefined = undefined;
  responseText = "";
  responseHead: AnswerHead | undefined = undefined;
  responseTrailers: Trailers = undefined;
  /** Values of Set-Cookie lines that the balancer's key asked for. */
  setCookies: readonly string[] = NO_COOKIES;
  private routeMutations: readonly CompiledMutations[] = NO_MUTATIONS;
  /** What HTTP filters do to the answer, after the route. */
  private filterMutations: readonly CompiledMutations[] = NO_MUTATIONS;
  private over: (() => void) | undefined = undefined;
  /** The forward action at work on it, or resting until another request is forwarded. */
  forwarding: { start(plan: ForwardPlan): void } | undefined = undefined;

  begin(caller: Caller, manager: ConnectionManager, head: RequestHead, now: number): void {
    this.caller = caller;
    this.own = caller;
    this.manager = manager;
    this.head = head;
    this.grpcCaller = head.grpc;
    this.bodyFilter = undefined;
    this.startMs = now;
    this.actionMs = now;
    this.endMs = 0;
    this.table = undefined;
    this.virtualHost = undefined;
    this.route = undefined;
    this.taker = undefined;
    this.responded = false;
    this.status = 0;
    this.flags = 0;
    this.details = "";
    this.terminationDetails = "";
    this.transportFailure = "";
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.upstreamProtocol = "";
    this.upstreamHost = "";
    this.upstreamHostname = "";
    this.upstreamCluster = "";
    this.upstreamLocalAddress = "";
    this.upstreamAttempts = 0;
    this.upstreamTls = undefined;
    this.responseStartMs = undefined;
    this.requestSentMs = undefined;
    this.bodyEndMs = undefined;
    this.clientIp = "";
    this.clientPort = 0;
    this.edge = false;
    this.bodyText = "";
    this.bodyHeld = false;
    this.path = head.path;
    this.authority = head.authority;
    this.originalPath = undefined;
    this.expectedTimeoutMs = 0;
    this.grpcTimeout = "";
    this.ownAttemptCount = false;
    this.serviceTimeMs = undefined;
    this.requestList = undefined;
    this.responseList = undefined;
    this.responseText = "";
    this.responseHead = undefined;
    this.responseTrailers = undefined;
    this.setCookies = NO_COOKIES;
    this.routeMutations = NO_MUTATIONS;
    this.filterMutations = NO_MUTATIONS;
  }

  /** Response operations of the matched route, chosen cluster's first, then those of HTTP filters. */
  get responseMutations(): readonly CompiledMutations[] {
    return this.routeMutations;
  }

  set responseMutations(ofRoute: readonly CompiledMutations[]) {
    this.routeMutations = this.filterMutations.length === 0 ? ofRoute : [...ofRoute, ...this.filterMutations];
  }

  /** A filter's say on the answer's headers, said before the route's action begins; the filters behind it come first. */
  addResponseEdits(edits: readonly CompiledMutations[]): void {
    this.filterMutations = [...edits, ...this.filterMutations];
  }

  /** Runs when the exchange is over, in whatever way. */
  whenOver(fn: () => void): void {
    const before = this.over;
    this.over =
      before === undefined
        ? fn
        : () => {
            before();
            fn();
          };
  }

  /** The connection says that the answer has left, or that nobody waits for it. */
  ended(): void {
    const { over } = this;
    if (over === undefined) return;
    this.over = undefined;
    over();
  }

  /** Another try, at this endpoint. */
  triesAt(host: Host): void {
    this.upstreamAttempts++;
    this.upstreamHost = host.name;
    this.upstreamHostname = host.config.hostname;
  }

  /** The try has its stream. */
  goesOn(stream: UpstreamStream, protocol: string): void {
    this.upstreamLocalAddress = stream.localAddress;
    this.upstreamTls = stream.tls;
    this.upstreamProtocol = protocol;
  }

  /** All of the body is here; `sent`: and on its way upstream. */
  bodyEnds(now: number, sent: boolean): void {
    this.bodyEndMs = now - this.startMs;
    if (sent) this.requestSentMs = this.bodyEndMs;
  }

  /** The action takes the request's body from now on. */
  takeBody(taker: BodyTaker): void {
    this.taker = this.bodyFilter === undefined ? taker : this.bodyFilter(taker);
  }

  /** More of the request's body comes to the taker. */
  get bodyPending(): boolean {
    return this.bodyHeld || this.caller.bodyPending;
  }

  get config(): HttpConnectionManagerConfig {
    return this.manager.config;
  }

  get protocol(): string {
    return this.head.version;
  }

  get startWallMs(): number {
    return this.manager.env.wallOffset() + this.startMs;
  }

  durationMs(): number {
    return (this.endMs === 0 ? this.manager.env.clock.now() : this.endMs) - this.startMs;
  }

  requestHeader(name: string): string | undefined {
    switch (name) {
      case ":path":
        return this.path === "" ? undefined : this.path;
      case ":method":
        return this.head.method === "" ? undefined : this.head.method;
      case ":authority":
      case "host":
        return this.authority === "" ? undefined : this.authority;
      case "x-envoy-original-path":
        return this.originalPath ?? this.head.first(name);
      default:
        if (this.requestList !== undefined && !name.startsWith(":")) return this.requestList.get(name);
        return this.head.first(name);
    }
  }

  responseHeader(name: string): string | undefined {
    if (name === ":status") return this.status === 0 ? undefined : String(this.status);
    if (this.responseList !== undefined) return this.responseList.get(name);
    if (name === "x-envoy-upstream-service-time" && this.serviceTimeMs !== undefined) return String(this.serviceTimeMs);
    if (name === "server" && this.responded && this.config.serverHeader === "OVERWRITE") return this.config.serverName;
    if (this.responseHead !== undefined) return this.responseHead.first(name);
    // Asked for by a log or a rule only, so a search in the text will do.
    const text = this.responseText;
    const lower = text.toLowerCase();
    const at = lower.indexOf(`\r\n${name}:`);
    if (at < 0) return undefined;
    const from = at + name.length + 3;
    const end = text.indexOf("\r\n", from);
    return text.slice(from, end < 0 ? text.length : end).trim();
  }

  responseTrailer(name: string): string | undefined {
    return trailerFields(this.responseTrailers).find((field) => field.name === name)?.value;
  }

  get grpcStatus(): number | undefined {
    if (!this.head.grpc) return undefined;
    const said = this.responseTrailer("grpc-status") ?? this.responseHeader("grpc-status");
    if (said !== undefined) return parseGrpcStatus(said);
    return this.status === 0 ? undefined : grpcStatusOf(this.status);
  }

  get requestEndMs(): number | undefined {
    return this.bodyEndMs ?? (this.caller.bodyPending ? undefined : 0);
  }

  get downstreamLocalAddress(): string {
    return this.caller.arrival.localText;
  }

  get downstreamDirectLocalAddress(): string {
    return this.caller.arrival.directLocalAddress;
  }

  get clientAddress(): string {
    const { clientIp, clientPort } = this;
    const { arrival } = this.caller;
    if (clientIp === arrival.remoteAddress && clientPort === arrival.remotePort) return arrival.remoteText;
    return clientIp === "" ? "" : hostName(clientIp, clientPort);
  }

  get streamId(): string {
    return this.head.requestId;
  }

  /** Header values are written before any log is. */
  get logType(): "DownstreamEnd" | "NotSet" {
    return this.endMs === 0 ? "NotSet" : "DownstreamEnd";
  }

  get upstreamStatName(): string {
    return this.manager.env.clusters.get(this.upstreamCluster)?.statName ?? this.upstreamCluster;
  }

  get downstreamRemoteAddress(): string {
    return this.caller.arrival.peerAddress;
  }

  get requestedServerName(): string {
    return this.caller.arrival.serverName;
  }

  get downstreamTls(): TlsInfo | undefined {
    return this.caller.arrival.tls;
  }

  readonly downstreamTransportFailure = "";

  get routeName(): string {
    return this.route?.name ?? "";
  }

  get virtualHostName(): string {
    return this.virtualHost?.name ?? "";
  }

  get filterChainName(): string {
    return this.caller.arrival.filterChainName;
  }

  get connectionId(): number {
    return this.caller.arrival.id;
  }
}

const NO_COOKIES: readonly string[] = Object.freeze([]);
const NO_MUTATIONS: readonly CompiledMutations[] = Object.freeze([]);
