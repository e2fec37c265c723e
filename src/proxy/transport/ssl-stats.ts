// Counters of TLS handshakes under Envoy's names, of a listener or a cluster.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/stats#tls-statistics
import { type Counter, scopedSpec, type Stats } from "../observe/stats.ts";
import type { PeerProblem } from "./verify-peer.ts";

export interface SslStats {
  secured(handshake: { readonly version: string; readonly cipher: string; readonly reused: boolean; readonly hasPeer: boolean }): void;
  /** undefined = another fault than the peer's certificate. */
  failed(problem: PeerProblem | undefined): void;
}

export function createSslStats(stats: Stats, scope: { prefix: string; tag: string; value: string }): SslStats {
  const counter = (suffix: string): Counter => stats.counter(scopedSpec(scope, `ssl.${suffix}`));
  const handshake = counter("handshake");
  const reused = counter("session_reused");
  const noCertificate = counter("no_certificate");
  const connectionError = counter("connection_error");
  const problems: Readonly<Record<PeerProblem, Counter>> = {
    no_certificate: counter("fail_verify_no_cert"),
    untrusted: counter("fail_verify_error"),
    expired: counter("fail_verify_error"),
    san: counter("fail_verify_san"),
    pin: counter("fail_verify_cert_hash"),
  };
  return {
    secured({ version, cipher, reused: isReused, hasPeer }) {
      handshake.value++;
      if (isReused) reused.value++;
      if (!hasPeer) noCertificate.value++;
      counter(`versions.${version}`).value++;
      counter(`ciphers.${cipher}`).value++;
    },
    failed(problem) {
      (problem === undefined ? connectionError : problems[problem]).value++;
    },
  };
}
