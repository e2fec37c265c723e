// Which secrets listeners and clusters name, and which of those are there.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret
import type { ClusterConfig, Listener, Secret, SecretRef, Secrets } from "../config/index.ts";
import { refsOf } from "../transport/tls-contexts.ts";

/** undefined = it has not come. */
export type SecretOf = (source: string, name: string) => Secret | undefined;

export function secretsOfListener(listener: Listener): readonly SecretRef[] {
  const chains =
    listener.defaultFilterChain === undefined ? listener.filterChains : [...listener.filterChains, listener.defaultFilterChain];
  return chains.flatMap(({ tls }) => (tls === undefined ? NONE : refsOf(tls)));
}

export function secretsOfCluster(cluster: ClusterConfig): readonly SecretRef[] {
  if (cluster.transport === undefined && cluster.transportMatches.length === 0) return NONE;
  const transports = [cluster.transport, ...cluster.transportMatches.map(({ transport }) => transport)];
  return transports.flatMap((transport) => (transport?.tls === undefined ? NONE : refsOf(transport.tls)));
}

const NONE: readonly SecretRef[] = Object.freeze([]);

export interface CollectedSecrets {
  readonly secrets: Secrets;
  /** Names by source. */
  readonly wanted: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Maps that hold the same as before keep their identity, so that contexts need not look again. */
export function collectSecrets(refs: Iterable<SecretRef>, secretOf: SecretOf, before: Secrets): CollectedSecrets {
  const wanted = new Map<string, Set<string>>();
  for (const { source, name } of refs) {
    const names = wanted.get(source);
    if (names === undefined) wanted.set(source, new Set([name]));
    else names.add(name);
  }
  const secrets = new Map<string, ReadonlyMap<string, Secret>>();
  for (const [source, names] of wanted) {
    const found = new Map<string, Secret>();
    for (const name of names) {
      const value = secretOf(source, name);
      if (value !== undefined) found.set(name, value);
    }
    const last = before.get(source);
    secrets.set(source, last !== undefined && isSame(last, found) ? last : found);
  }
  return { secrets: isSame(before, secrets) ? before : secrets, wanted };
}

function isSame<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean {
  return a.size === b.size && [...b].every(([name, value]) => a.get(name) === value);
}
