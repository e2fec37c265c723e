// Envoy's CORS filter as the proxy runs it. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/cors/v3/cors.proto
import type { TextMatcher } from "../../config/index.ts";

/** What one level (route, virtual host, table) says; what it leaves out, the next level says. */
export interface CorsConfig {
  readonly allowOrigins: readonly TextMatcher[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean | undefined;
  readonly allowPrivateNetwork: boolean | undefined;
  readonly forwardUnmatchedPreflights: boolean | undefined;
  /** Shares in [0, 1]: requests that the policy is enforced on, and that it is only counted for. */
  readonly enabled: number;
  readonly shadowed: number;
}
