// What is known of a request or a TCP connection when it is logged or when a header value is made from it. HTTP exchanges and TCP sessions fill it.
import type { TlsInfo } from "../transport/tls-info.ts";

export interface StreamInfo {
  /** As it was sent upstream where it was sent: with what the proxy added. undefined = no such header. */
  requestHeader(name: string): string | undefined;
  responseHeader(name: string): string | undefined;
  responseTrailer(name: string): string | undefined;
  /** Of a gRPC request: from trailers, else headers, else what the HTTP status stands for. */
  readonly grpcStatus: number | undefined;
  readonly protocol: string;
  readonly startWallMs: number;
  /** Milliseconds from the start to now (or to the end when it is over). */
  durationMs(): number;
  /** Milliseconds from the start until the upstream's first byte; undefined = none came. */
  readonly responseStartMs: number | undefined;
  /** Milliseconds from the start until the request was here as a whole, and until it was sent upstream as a whole; undefined = it never was. */
  readonly requestEndMs: number | undefined;
  readonly requestSentMs: number | undefined;
  readonly status: number;
  readonly flags: number;
  readonly details: string;
  readonly terminationDetails: string;
  readonly transportFailure: string;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** HTTP's, "" = none. */
  readonly upstreamProtocol: string;
  readonly upstreamHost: string;
  /** Its name, where it has one. */
  readonly upstreamHostname: string;
  readonly upstreamCluster: string;
  /** Its name in statistics, which is another one where the cluster says so. */
  readonly upstreamStatName: string;
  readonly upstreamLocalAddress: string;
  readonly upstreamAttempts: number;
  readonly downstreamLocalAddress: string;
  /** The socket's own, whatever a PROXY protocol header announced. */
  readonly downstreamDirectLocalAddress: string;
  readonly downstreamRemoteAddress: string;
  /** The address that a route or a log takes for the caller's: x-forwarded-for where it is trusted. */
  readonly clientAddress: string;
  readonly requestedServerName: string;
  /** undefined = plain text. */
  readonly downstreamTls: TlsInfo | undefined;
  readonly downstreamTransportFailure: string;
  readonly upstreamTls: TlsInfo | undefined;
  readonly routeName: string;
  readonly virtualHostName: string;
  readonly filterChainName: string;
  readonly connectionId: number;
  /** Of this request or TCP connection among all of all proxies. */
  readonly streamId: string;
  readonly logType: "DownstreamEnd" | "TcpConnectionEnd" | "NotSet";
}
