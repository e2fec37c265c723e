// Which mutual TLS holds where: mesh, then namespace, then workload, the oldest of each; what one leaves open the wider one says, and
// nobody says PERMISSIVE (Istio security/authn/policy_applier.go ComposePeerAuthentication, model/authentication.go).
import type { MtlsMode, PeerAuthentication, WorkloadMtls } from "../../model/index.ts";
import { selects } from "../names.ts";

export interface MtlsIndex {
  forWorkload(namespace: string, labels: Readonly<Record<string, string>>): WorkloadMtls;
  /** What callers go by who know the service only. */
  forNamespace(namespace: string): MtlsMode;
  /** One port of a workload. */
  forPort(namespace: string, labels: Readonly<Record<string, string>>, port: number): MtlsMode;
}

const NO_PORTS: ReadonlyMap<number, MtlsMode> = new Map();

/** `policies`: oldest first. */
export function buildMtlsIndex(policies: readonly PeerAuthentication[], rootNamespace: string): MtlsIndex {
  const whole = new Map<string, PeerAuthentication>();
  const selecting = new Map<string, PeerAuthentication[]>();
  for (const policy of policies) {
    const { namespace, selector } = policy;
    if (selector === undefined) {
      if (!whole.has(namespace)) whole.set(namespace, policy);
    } else if (namespace !== rootNamespace) {
      const group = selecting.get(namespace);
      if (group === undefined) selecting.set(namespace, [policy]);
      else group.push(policy);
    }
  }
  const mesh = whole.get(rootNamespace)?.mode ?? "PERMISSIVE";
  const forNamespace = (namespace: string): MtlsMode => whole.get(namespace)?.mode ?? mesh;

  function forWorkload(namespace: string, labels: Readonly<Record<string, string>>): WorkloadMtls {
    const own = selecting.get(namespace)?.find(({ selector }) => selector !== undefined && selects(selector, labels));
    const mode = own?.mode ?? forNamespace(namespace);
    if (own === undefined || own.ports.size === 0) return { mode, ports: NO_PORTS };
    return { mode, ports: new Map([...own.ports].map(([port, written]) => [port, written ?? mode])) };
  }

  return {
    forWorkload,
    forNamespace,
    forPort(namespace, labels, port) {
      const { mode, ports } = forWorkload(namespace, labels);
      return ports.get(port) ?? mode;
    },
  };
}
