// TLS versions, ciphers and curves (Istio networking/core/listener.go applyServerTLSSettings, cluster_tls.go applyTLSDefaults).
import { create, type TlsParameters, TlsParameters_TlsProtocol as Protocol, TlsParametersSchema } from "../../envoy-api/index.ts";
import type { TlsVersion } from "../../model/index.ts";

const PROTOCOLS: Readonly<Record<TlsVersion, Protocol>> = {
  TLSV1_0: Protocol.TLSv1_0,
  TLSV1_1: Protocol.TLSv1_1,
  TLSV1_2: Protocol.TLSv1_2,
  TLSV1_3: Protocol.TLSv1_3,
};

export interface Versions {
  readonly min: TlsVersion | undefined;
  readonly max: TlsVersion | undefined;
  readonly cipherSuites: readonly string[];
  readonly ecdhCurves: readonly string[];
}

/** undefined when nothing is asked for: Envoy's defaults. */
export function buildTlsParameters({ min, max, cipherSuites, ecdhCurves }: Versions): TlsParameters | undefined {
  if (min === undefined && max === undefined && cipherSuites.length === 0 && ecdhCurves.length === 0) return undefined;
  return create(TlsParametersSchema, {
    ...(min === undefined ? {} : { tlsMinimumProtocolVersion: PROTOCOLS[min] }),
    ...(max === undefined ? {} : { tlsMaximumProtocolVersion: PROTOCOLS[max] }),
    cipherSuites: [...cipherSuites],
    ecdhCurves: [...ecdhCurves],
  });
}
