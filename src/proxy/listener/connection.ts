// One connection of a listener from its acceptance to its end: who admits it, what speaks on it, and where it came in.
// One object for all of it and no closures: thousands of idle connections keep what they hold.
import type net from "node:net";
import type { FilterChain, Listener } from "../config/index.ts";
import type { Arrival, Drainable } from "../network/arrival.ts";
import { adopt, type Conn, type ConnHandler } from "../network/conn.ts";
import type { ConnectionManager } from "../network/connection-manager.ts";
import type { Environment } from "../network/environment.ts";
import { Http1Downstream } from "../network/http1-downstream.ts";
import { Http2Downstream } from "../network/http2-downstream.ts";
import { plainAddress } from "../network/ip-text.ts";
import type { Overload } from "../overload/index.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import { hostName } from "../upstream/host.ts";
import { Admission, type Admitted, type Refused } from "./admission.ts";
import type { ChainHandlers } from "./chain-handlers.ts";
import { ConnectionLog } from "./connection-log.ts";
import { type ConnectionFacts, matchFilterChain } from "./filter-chain-match.ts";
import type { ListenerStats } from "./listener-stats.ts";

/** An open connection; what speaks on it may change. */
export type Open = Drainable & { readonly conn: Conn };

interface Session extends ConnHandler, Drainable {
  conn: Conn;
  opened(): void;
}

/** The socket that listens, as its connections see it. */
export interface Door {
  readonly listener: Listener;
  /** Grows with every change of the listener. */
  readonly version: number;
  readonly removed: boolean;
  readonly port: number;
  readonly stats: ListenerStats;
  /** On their way to a session. */
  readonly admissions: Set<Admission>;
  readonly sessions: Set<Open>;
}

export interface Surroundings {
  readonly env: Environment;
  readonly handlers: ChainHandlers;
}

export class ListenerConnection implements Arrival {
  readonly id: number;
  private readonly door: Door;
  private readonly handlers: ChainHandlers;
  private readonly listener: Listener;
  /** As the socket has it; `facts` is what became known since. */
  private readonly peer: ConnectionFacts;
  private readonly log: ConnectionLog | undefined;
  private readonly overload: Overload;
  private facts: ConnectionFacts;
  private admission: Admission | undefined = undefined;
  private chain!: FilterChain;
  private version = 0;
  private current: ConnectionManager | undefined = undefined;
  private session!: Open;
  // Made when a log first asks.
  private ownText: string | undefined = undefined;
  private callerText: string | undefined = undefined;
  tls: TlsInfo | undefined = undefined;
  alpn = "";

  constructor(
    { env, handlers }: Surroundings,
    door: Door,
    from: { readonly sock: net.Socket; readonly peer: ConnectionFacts; readonly id: number },
  ) {
    this.id = from.id;
    this.door = door;
    this.handlers = handlers;
    this.peer = this.facts = from.peer;
    this.listener = handlers.listenerFor(door.listener, from.peer);
    this.overload = env.overload;
    door.stats.cxTotal.value++;
    door.stats.cxActive.value++;
    if (this.counts) env.overload.connections++;
    this.log = this.listener.accessLogs.length === 0 ? undefined : new ConnectionLog(env, from.sock, from.peer, from.id);
    const { inspectorStats } = handlers;
    this.admission = new Admission(
      { env, listener: this.listener, sock: from.sock, facts: from.peer, stats: door.stats, inspectorStats },
      this,
    );
    door.admissions.add(this.admission);
    this.admission.start();
  }

  onAdmitted(admitted: Admitted): void {
    const { door } = this;
    this.admissionOver();
    this.log?.admitted(admitted);
    const { sock, carrier, facts, chain, secured, first } = admitted;
    this.facts = facts;
    this.chain = chain;
    this.tls = secured?.info;
    this.alpn = secured?.alpn ?? "";
    this.version = door.version;
    const manager = (this.current = this.handlers.managerOf(chain));
    const session = manager === undefined ? this.handlers.byteFilterOf(chain).accept(this) : callerOf(this, manager);
    this.session = session;
    door.sessions.add(session);
    const conn: Conn = adopt(sock, session, carrier);
    session.conn = conn;
    session.opened();
    if (first !== undefined) session.onData(first, first.length);
    if (first === undefined || manager !== undefined) conn.resume();
  }

  onRefused(why: Refused, seen: ConnectionFacts, at: { readonly chain: FilterChain | undefined; readonly reason: string }): void {
    this.admissionOver();
    this.log?.refused(why, seen, at);
    this.finish();
  }

  private admissionOver(): void {
    if (this.admission !== undefined) this.door.admissions.delete(this.admission);
    this.admission = undefined;
  }

  private finish(): void {
    const { stats } = this.door;
    stats.cxActive.value--;
    stats.cxDestroy.value++;
    if (this.counts) this.overload.connections--;
    if (this.log !== undefined) for (const logger of this.handlers.loggersOf(this.listener)) logger.log(this.log);
  }

  get bypassesOverload(): boolean {
    return this.listener.bypassesOverload;
  }
  /** Against the limit of all listeners. */
  private get counts(): boolean {
    return !this.listener.ignoresConnectionLimit;
  }
  get filterChainName(): string {
    return this.chain.name;
  }
  get localAddress(): string {
    return this.facts.localAddress;
  }
  get localPort(): number {
    return this.facts.localPort;
  }
  get remoteAddress(): string {
    return this.facts.remoteAddress;
  }
  get remotePort(): number {
    return this.facts.remotePort;
  }
  get localText(): string {
    return (this.ownText ??= hostName(this.facts.localAddress, this.facts.localPort));
  }
  get remoteText(): string {
    return (this.callerText ??= hostName(this.facts.remoteAddress, this.facts.remotePort));
  }
  get peerAddress(): string {
    return hostName(this.peer.remoteAddress, this.peer.remotePort);
  }
  get directLocalAddress(): string {
    return hostName(this.peer.localAddress, this.peer.localPort);
  }
  get serverName(): string {
    return this.facts.serverName;
  }

  /** Led here on the way to another port (TPROXY): the socket still has the address the caller meant. */
  get originalDestination(): string | undefined {
    const { listener, port } = this.door;
    const { localAddress, localPort } = this.peer;
    if (!listener.useOriginalDst && !listener.inspectors.originalDst) return undefined;
    return localPort === port ? undefined : hostName(localAddress, localPort);
  }

  manager(): ConnectionManager | undefined {
    const { door, facts, handlers } = this;
    if (door.removed) return undefined;
    if (this.version === door.version) return this.current;
    this.version = door.version;
    const next = matchFilterChain(handlers.listenerFor(door.listener, facts), facts);
    // A chain that would have asked for TLS, or for none, is not this connection's.
    const fits = next !== undefined && (next.tls === undefined) === (this.tls === undefined);
    this.current = fits ? handlers.managerOf(next) : undefined;
    return this.current;
  }

  becomes(next: Open): void {
    this.door.sessions.delete(this.session);
    this.session = next;
    this.door.sessions.add(next);
  }

  onClosed(): void {
    this.door.sessions.delete(this.session);
    this.finish();
  }
}

/** A caller at a Unix socket has no address of its own: as in Envoy it is the listener's. */
export function factsAt(path: string): ConnectionFacts {
  return {
    localAddress: path,
    localPort: 0,
    remoteAddress: path,
    remotePort: 0,
    transport: "raw_buffer",
    serverName: "",
    applicationProtocols: [],
  };
}

/** What the socket says; undefined = it was gone before we looked at it. */
export function factsOf({ localAddress, localPort, remoteAddress, remotePort }: net.Socket): ConnectionFacts | undefined {
  if (localAddress === undefined || remoteAddress === undefined) return undefined;
  return {
    localAddress: plainAddress(localAddress),
    localPort: localPort ?? 0,
    remoteAddress: plainAddress(remoteAddress),
    remotePort: remotePort ?? 0,
    transport: "raw_buffer",
    serverName: "",
    applicationProtocols: [],
  };
}

/** What was agreed on in the TLS handshake holds; without that HTTP/1, until the first bytes say otherwise. Or HTTP/2 only. */
function callerOf(arrival: Arrival, manager: ConnectionManager): Session {
  manager.stats.cxTotal.value++;
  manager.stats.cxActive.value++;
  const { codec } = manager.config;
  return codec === "HTTP2" || (codec === "AUTO" && arrival.alpn === "h2")
    ? new Http2Downstream(arrival, manager)
    : new Http1Downstream(arrival, manager);
}
