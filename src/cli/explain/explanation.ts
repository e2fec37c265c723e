// The answer of `serin explain`, as its JSON: described in docs and kept stable.
export interface Share {
  readonly name: string;
  /** Percent. */
  readonly weight: number;
}

export interface EndpointExplanation {
  readonly cluster: string;
  readonly address: string;
  readonly weight: number;
  readonly healthy: boolean;
}

export interface OutgoingRequest {
  readonly path: string;
  readonly authority: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Explanation {
  readonly listener: string | null;
  readonly filterChain: string | null;
  readonly routeConfig: string | null;
  readonly virtualHost: string | null;
  /** The route's name, or `#INDEX` when it has none. */
  readonly route: string | null;
  readonly clusters: readonly Share[];
  /** What the proxy answers by itself; null when the request goes on to an endpoint. */
  readonly status: number | null;
  /** As it leaves the proxy. */
  readonly request: OutgoingRequest;
  readonly endpoints: readonly EndpointExplanation[];
  readonly why: readonly string[];
}

export function formatShare({ name, weight }: Share): string {
  return weight === 100 ? name : `${name} (${Math.round(weight * 100) / 100} %)`;
}
