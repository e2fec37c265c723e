// Envoy's fault filter as the proxy runs it. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/fault/v3/fault.proto
import type { HeaderMatcher } from "../../config/index.ts";

/** Strikes numerator / denominator of the requests. */
export interface FaultShare {
  readonly numerator: number;
  readonly denominator: number;
}

export interface FaultConfig {
  readonly delay: { readonly share: FaultShare; /** undefined: the request says it. */ readonly fixedMs: number | undefined } | undefined;
  readonly abort:
    | { readonly share: FaultShare; /** undefined: the request says it. */ readonly fixed: AbortStatus | undefined }
    | undefined;
  /** Only requests to this cluster; "" = all. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderMatcher[];
  /** Only requests from these nodes (`x-envoy-downstream-service-node`); empty = all. */
  readonly downstreamNodes: ReadonlySet<string>;
  /** At most so many faulted requests at a time; undefined = no limit. */
  readonly maxActive: number | undefined;
}

export interface AbortStatus {
  readonly httpStatus: number;
  readonly grpcStatus: number | undefined;
}
