// What a listener's own access log says of a connection, at its end: also of those that never came to a filter chain.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener.proto (access_log)
import type net from "node:net";
import type { Environment } from "../network/environment.ts";
import { NoHttp } from "../observe/no-http.ts";
import type { StreamInfo } from "../observe/stream-info.ts";
import type { TlsInfo } from "../transport/tls-info.ts";
import { FLAG } from "../observe/response-flags.ts";
import type { FilterChain } from "../config/index.ts";
import { hostName } from "../upstream/host.ts";
import type { Admitted, Refused } from "./admission.ts";
import type { ConnectionFacts } from "./filter-chain-match.ts";

export class ConnectionLog extends NoHttp implements StreamInfo {
  private readonly env: Environment;
  private readonly sock: net.Socket;
  private readonly startMs: number;
  readonly connectionId: number;
  facts: ConnectionFacts;
  readonly peerAddress: string;
  readonly downstreamDirectLocalAddress: string;
  flags = 0;
  details = "";
  filterChainName = "";
  downstreamTls: TlsInfo | undefined = undefined;
  downstreamTransportFailure = "";

  constructor(env: Environment, sock: net.Socket, facts: ConnectionFacts, id: number) {
    super();
    this.env = env;
    this.sock = sock;
    this.facts = facts;
    this.connectionId = id;
    this.startMs = env.clock.now();
    this.peerAddress = hostName(facts.remoteAddress, facts.remotePort);
    this.downstreamDirectLocalAddress = hostName(facts.localAddress, facts.localPort);
  }

  admitted({ facts, chain, secured }: Admitted): void {
    this.facts = facts;
    this.filterChainName = chain.name;
    this.downstreamTls = secured?.info;
  }

  refused(why: Refused, facts: ConnectionFacts, at: { readonly chain: FilterChain | undefined; readonly reason: string }): void {
    this.facts = facts;
    this.filterChainName = at.chain?.name ?? "";
    this.downstreamTransportFailure = at.reason;
    if (why !== "no chain") return;
    this.flags |= FLAG.NR;
    this.details = "filter_chain_not_found";
  }

  get startWallMs(): number {
    return this.env.wallOffset() + this.startMs;
  }
  durationMs(): number {
    return this.env.clock.now() - this.startMs;
  }
  readonly transportFailure = "";
  get bytesReceived(): number {
    return this.sock.bytesRead;
  }
  get bytesSent(): number {
    return this.sock.bytesWritten;
  }
  readonly upstreamHost = "";
  readonly upstreamHostname = "";
  readonly upstreamCluster = "";
  readonly upstreamStatName = "";
  readonly upstreamLocalAddress = "";
  readonly upstreamAttempts = 0;
  readonly upstreamTls = undefined;
  readonly streamId = "";
  readonly logType = "NotSet";
  get downstreamLocalAddress(): string {
    return hostName(this.facts.localAddress, this.facts.localPort);
  }
  get downstreamRemoteAddress(): string {
    return this.peerAddress;
  }
  get clientAddress(): string {
    return hostName(this.facts.remoteAddress, this.facts.remotePort);
  }
  get requestedServerName(): string {
    return this.facts.serverName;
  }
}
