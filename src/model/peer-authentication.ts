// Mutual TLS as workloads ask for it of their callers (Istio security.istio.io PeerAuthentication).

export type MtlsMode = "DISABLE" | "PERMISSIVE" | "STRICT";

export interface PeerAuthentication {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  /** undefined: the whole namespace; in the root namespace the whole mesh. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** undefined: as the wider policy says. */
  readonly mode: MtlsMode | undefined;
  /** By the workload's own port. */
  readonly ports: ReadonlyMap<number, MtlsMode | undefined>;
}

/** What holds for one workload, all policies taken together. */
export interface WorkloadMtls {
  readonly mode: MtlsMode;
  readonly ports: ReadonlyMap<number, MtlsMode>;
}
