// A validation context that comes in two halves: one in the TLS context, one as a secret.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/tls/v3/tls.proto (combined_validation_context)
import type { ValidationConfig } from "../config/index.ts";

/** A secret's part goes over what stands in the context itself: lists grow, single values are replaced. */
export function mergeValidation(base: ValidationConfig | undefined, over: ValidationConfig): ValidationConfig {
  if (base === undefined) return over;
  return {
    trustedCa: over.trustedCa === "" ? base.trustedCa : over.trustedCa,
    systemRoots: base.systemRoots || over.systemRoots,
    crl: over.crl === "" ? base.crl : over.crl,
    spki: [...base.spki, ...over.spki],
    hashes: [...base.hashes, ...over.hashes],
    sans: [...base.sans, ...over.sans],
    acceptUntrusted: base.acceptUntrusted || over.acceptUntrusted,
  };
}
