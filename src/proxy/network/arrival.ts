// Where a connection came in.
import type { TlsInfo } from "../transport/tls-info.ts";
import type { Conn } from "./conn.ts";
import type { ConnectionManager } from "./connection-manager.ts";

/** A connection that can be told to end when it is done. */
export interface Drainable {
  readonly busy: boolean;
  drain(): void;
}

/** What a connection needs to know of where it came in; its manager is asked for again with each request, so that config changes reach open connections. */
export interface Arrival {
  /** The connection manager for the next request; undefined = the listener is gone. */
  manager(): ConnectionManager | undefined;
  readonly id: number;
  readonly filterChainName: string;
  readonly localAddress: string;
  readonly localPort: number;
  /** The caller's, which a PROXY protocol header may have announced. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** `address:port` of either end. */
  readonly localText: string;
  readonly remoteText: string;
  /** `address:port` of the peer itself. */
  readonly peerAddress: string;
  /** `address:port` of the socket itself. */
  readonly directLocalAddress: string;
  /** The name in its TLS hello, in lower case; "" = none was seen. */
  readonly serverName: string;
  /** What TLS agreed on: "h2", "http/1.1"; "" = nothing. */
  readonly alpn: string;
  /** `address:port` the connection was meant for before it was led to the proxy; undefined: for the proxy itself. */
  readonly originalDestination: string | undefined;
  /** undefined = plain text. */
  readonly tls: TlsInfo | undefined;
  /** Its requests are served however overloaded the proxy is. */
  readonly bypassesOverload: boolean;
  /** The connection goes on as this one: it turned out to speak another protocol. */
  becomes(next: Drainable & { readonly conn: Conn }): void;
  onClosed(): void;
}
