// The one list of cases that do not pass yet, by data plane, each with the feature it waits for. A listed case that passes fails the run.
// "*" as plane: on both data planes. "matcher": offline, where only what config alone decides is compared.
export interface Pending {
  readonly case: string;
  readonly plane: "serin" | "envoy" | "matcher" | "*";
  readonly waitsFor: string;
}

export const PENDING: readonly Pending[] = [
  { case: "authz/and-within-or-between", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/audit-and-dry-run-no-default-deny", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/connection-sni", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/custom-fail-closed", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/custom-http-defaults", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/custom-two-providers", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/empty-spec-allows-nothing", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/grpc-paths", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-forward-and-claims-to-headers", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-required-by-policy", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-sidecar-inbound-scope", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-two-issuers-own-places", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-two-issuers-same-place", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/jwt-validity", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/methods-and-ports", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/normalization-base", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/normalization-none", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/path-templates", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/paths-exact-prefix-suffix", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/remote-ip-trusted-proxies", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/scope-root-namespace-selector", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/several-policies-deny-first", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/sidecar-inbound-remote-ip-and-port", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/tcp-allow-drops-http-rules", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/tcp-deny-only-http-fields-denies-all", plane: "*", waitsFor: "authorization and request authentication" },
  { case: "authz/custom-fail-closed", plane: "matcher", waitsFor: "custom authorization" },
  { case: "authz/custom-http-defaults", plane: "matcher", waitsFor: "custom authorization" },
  { case: "authz/jwt-two-issuers-same-place", plane: "matcher", waitsFor: "request authentication" },
  { case: "gateways/auto-passthrough", plane: "matcher", waitsFor: "TLS" },
  { case: "protocols/sidecar-inbound-mtls-permissive", plane: "matcher", waitsFor: "a caller's ALPN in explain" },
  { case: "protocols/destination-rule-default-export", plane: "matcher", waitsFor: "a caller's HTTP version in explain" },
  { case: "protocols/upstream-http-version", plane: "matcher", waitsFor: "a caller's HTTP version in explain" },
];
