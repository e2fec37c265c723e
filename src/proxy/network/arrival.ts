// Where a connection came in.
import type { ConnectionManager } from "./connection-manager.ts";

/** What a connection needs to know of where it came in; its manager is asked for again with each request, so that config changes reach open connections. */
export interface Arrival {
  /** The connection manager for the next request; undefined = the listener is gone. */
  manager(): ConnectionManager | undefined;
  readonly id: number;
  readonly filterChainName: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  onClosed(): void;
}
