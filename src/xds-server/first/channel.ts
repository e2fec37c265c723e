// One type on one stream: what the client asked for, what it has, and at most one response in flight.
import type { ResourceSet } from "../../kit/index.ts";

export interface ChannelStatus {
  readonly typeUrl: string;
  readonly sent: string;
  readonly acked: string;
  readonly resources: number;
  readonly nack?: { readonly version: string; readonly message: string; readonly at: string };
}

export interface TypeRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Names → versions that the client says it has (delta, first request). */
  readonly initialVersions: Readonly<Record<string, string>>;
  /** State of the world: the last version the client accepted. */
  readonly version: string;
  readonly nonce: string;
  readonly error: string | undefined;
}

export interface Channel {
  onRequest(request: TypeRequest): void;
  /** What the client shall have now; undefined = do not answer yet. */
  setTarget(set: ResourceSet | undefined): void;
  /** From now on names that only the client knows may be removed from it. */
  allowRemovals(allowed: boolean): void;
  /** Nothing in flight, nothing left to send, nothing refused. */
  inSync(): boolean;
  /** Nothing in flight and nothing left to send. */
  isQuiet(): boolean;
  isWildcard(): boolean;
  /** The client asked for this name and has what was sent for it. */
  has(name: string): boolean;
  /** These names have to be sent again, and held ones may be offered again. */
  offerAgain(names: Iterable<string>): void;
  status(): ChannelStatus;
}

export interface ChannelOptions {
  readonly typeUrl: string;
  readonly send: (bytes: Buffer) => void;
  readonly nextNonce: () => string;
  readonly wall: () => number;
  /** May this name be sent yet? Names held back are offered again by `offerAgain`. */
  readonly mayGo?: (name: string) => boolean;
}
