// One request and its answer: what the layers of the request path read and write. A connection keeps one and uses it again.
import type { HttpConnectionManagerConfig, Route, RouteTable, VirtualHost } from "../config/index.ts";
import type { Head } from "../http1/head.ts";
import type { HeaderList } from "../http1/header-list.ts";
import type { ConnectionManager } from "../network/connection-manager.ts";
import type { Conn } from "../network/conn.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import type { CompiledMutations } from "./header-mutation.ts";

/** A request's way through the proxy; each layer calls the next when it can go on. */
export type Service = (exchange: Exchange) => void;
export type Layer = (inner: Service) => Service;

/** The caller's connection, as the layers see it. */
export interface Caller {
  readonly conn: Conn;
  readonly id: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly filterChainName: string;
  /** HTTP/1.minor of the request. */
  minor: number;
  keep: boolean;
  /** The request's body is not all here yet. */
  readonly bodyPending: boolean;
  /** The answer has been written whole. */
  responseDone(): void;
  /** The answer broke off: the caller must notice. */
  abort(): void;
  /** From now on bytes only pass through. */
  enterTunnel(): void;
}

/** Who takes the request's body: the forward action while it runs. */
export interface BodyTaker {
  /** data[from, to) of the body as it came; `tail` = what to write after it (end of a chunked body). */
  onRequestData(data: Buffer, part: { from: number; to: number; complete: boolean; tail: string }): void;
  onCallerGone(): void;
  onCallerTunnelData(data: Buffer): void;
  onTunnelEnd(): void;
}

/** How an upstream's body becomes the caller's. */
export type BodyForm = "as-is" | "to-chunks" | "from-chunks";

export class Exchange implements StreamInfo {
  readonly caller: Caller;
  manager!: ConnectionManager;
  head!: Head;
  table: RouteTable | undefined = undefined;
  virtualHost: VirtualHost | undefined = undefined;
  route: Route | undefined = undefined;
  taker: BodyTaker | undefined = undefined;
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
  bodyForm: BodyForm = "as-is";
  upstreamHost = "";
  upstreamCluster = "";
  upstreamLocalAddress = "";
  upstreamAttempts = 0;
  responseStartMs: number | undefined = undefined;
  clientAddress = "";
  /** True when the caller is outside the mesh: at an edge that uses the peer's address. */
  edge = false;
  /** Its complete body when it is small and came with the head. */
  bodyText = "";
  /** What is sent as path and host; the head keeps what came. */
  path = "";
  authority = "";
  originalPath: string | undefined = undefined;
  /** Outgoing request headers, where a rule edited them. */
  requestList: HeaderList | undefined = undefined;
  /** The answer's headers, where a rule edited them, else its head's text. */
  responseList: HeaderList | undefined = undefined;
  responseText = "";
  private routeMutations: readonly CompiledMutations[] = NO_MUTATIONS;
  /** What HTTP filters do to the answer, after the route. */
  private filterMutations: readonly CompiledMutations[] = NO_MUTATIONS;
  private over: (() => void) | undefined = undefined;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  begin(manager: ConnectionManager, head: Head, now: number): void {
    this.manager = manager;
    this.head = head;
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
    this.bodyForm = "as-is";
    this.upstreamHost = "";
    this.upstreamCluster = "";
    this.upstreamLocalAddress = "";
    this.upstreamAttempts = 0;
    this.responseStartMs = undefined;
    this.clientAddress = "";
    this.edge = false;
    this.bodyText = "";
    this.path = head.path;
    this.authority = head.authority;
    this.originalPath = undefined;
    this.requestList = undefined;
    this.responseList = undefined;
    this.responseText = "";
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

  /** A filter's say on the answer's headers; said before the route's action begins. */
  addResponseEdit(edit: CompiledMutations): void {
    this.filterMutations = [edit, ...this.filterMutations];
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

  get config(): HttpConnectionManagerConfig {
    return this.manager.config;
  }

  get protocol(): string {
    return this.head.minor === 0 ? "HTTP/1.0" : "HTTP/1.1";
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
        return this.path;
      case ":authority":
      case "host":
        return this.authority;
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
    // Asked for by a log or a rule only, so a search in the text will do.
    const text = this.responseText;
    const lower = text.toLowerCase();
    const at = lower.indexOf(`\r\n${name}:`);
    if (at < 0) return undefined;
    const from = at + name.length + 3;
    const end = text.indexOf("\r\n", from);
    return text.slice(from, end < 0 ? text.length : end).trim();
  }

  get downstreamLocalAddress(): string {
    return `${this.caller.localAddress}:${this.caller.localPort}`;
  }

  get downstreamRemoteAddress(): string {
    return `${this.caller.remoteAddress}:${this.caller.remotePort}`;
  }

  get requestedServerName(): string {
    return "";
  }

  get routeName(): string {
    return this.route?.name ?? "";
  }

  get virtualHostName(): string {
    return this.virtualHost?.name ?? "";
  }

  get filterChainName(): string {
    return this.caller.filterChainName;
  }

  get connectionId(): number {
    return this.caller.id;
  }
}

const NO_MUTATIONS: readonly CompiledMutations[] = Object.freeze([]);
