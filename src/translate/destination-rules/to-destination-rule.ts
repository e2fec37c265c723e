// DestinationRule → model, and two rules of one host made into one: subsets united, the oldest of a name and the oldest trafficPolicy win
// (Istio pilot/pkg/model/destination_rule.go).
import { memoByIdentity2 } from "../../kit/index.ts";
import {
  clientSecrets,
  type ConsistentHashKey,
  type DestinationRule,
  type MeshSettings,
  type StreamSettings,
  type Subset,
  type TrafficPolicy,
} from "../../model/index.ts";
import type { DestinationRuleSpec, Resource } from "../../resources/index.ts";
import { resolveExportTo, resolveHost } from "../names.ts";
import { failoverLabelsOf, toHashKeyFor } from "./load-balancer.ts";
import { type LayeredPolicy, mergePolicies, toLayeredPolicy, toStreamSettings, type TrafficPolicySpec } from "./traffic-policy.ts";

interface Parts {
  readonly policy: LayeredPolicy | undefined;
  readonly subsets: readonly (Subset & { readonly policy: LayeredPolicy | undefined })[];
}

type Head = Omit<
  DestinationRule,
  "subsets" | "policyFor" | "passesThrough" | "writtenTlsMode" | "streamSettings" | "hashKeyFor" | "failoverLabels" | "secrets"
>;

const partsOf = new WeakMap<DestinationRule, Parts>();

function secretsOf(policies: readonly (LayeredPolicy | undefined)[]): readonly string[] {
  const levels = policies.flatMap((policy) => (policy === undefined ? [] : [policy.base, ...policy.ports.values()]));
  return [...new Set(levels.flatMap(({ tls }) => clientSecrets(tls)))];
}

function createDestinationRule(head: Head, parts: Parts): DestinationRule {
  const policies = new Map<string, LayeredPolicy | undefined>();
  for (const subset of parts.subsets) if (!policies.has(subset.name)) policies.set(subset.name, subset.policy);
  const merged = new Map<string, TrafficPolicy>();
  const streams = new Map<string, StreamSettings>();
  const isPassthrough = (policy: TrafficPolicy | LayeredPolicy["base"] | undefined): boolean =>
    policy?.loadBalancer?.simple === "PASSTHROUGH";
  const rule: DestinationRule = Object.freeze({
    ...head,
    subsets: parts.subsets.map(({ name, labels }) => ({ name, labels })),
    policyFor(port: number, subset: string): TrafficPolicy {
      const key = `${port}|${subset}`;
      let policy = merged.get(key);
      if (policy === undefined) merged.set(key, (policy = mergePolicies(parts.policy, policies.get(subset), port)));
      return policy;
    },
    passesThrough: (port: number, subset: string): boolean =>
      isPassthrough(rule.policyFor(port, "")) || isPassthrough(policies.get(subset)?.base) || isPassthrough(rule.policyFor(port, subset)),
    writtenTlsMode(port: number, subset: string) {
      const own = subset === "" ? parts.policy : policies.get(subset);
      return own?.ports.get(port)?.tls?.mode ?? own?.base.tls?.mode;
    },
    streamSettings(subset: string): StreamSettings {
      let settings = streams.get(subset);
      if (settings === undefined) streams.set(subset, (settings = toStreamSettings(parts.policy, policies.get(subset), subset)));
      return settings;
    },
    hashKeyFor: (port: number | undefined, subset: string): ConsistentHashKey | undefined =>
      toHashKeyFor(parts.policy, policies.get(subset), port),
    secrets: secretsOf([parts.policy, ...policies.values()]),
    failoverLabels: failoverLabelsOf([parts.policy, ...policies.values()]),
  });
  partsOf.set(rule, parts);
  return rule;
}

export const toDestinationRule: (resource: Resource<DestinationRuleSpec>, settings: MeshSettings) => DestinationRule = memoByIdentity2(
  ({ metadata, spec }, settings) => {
    const selector = spec.workloadSelector?.matchLabels ?? (spec.workloadSelector === undefined ? undefined : {});
    const policy = spec.trafficPolicy as TrafficPolicySpec | undefined;
    return createDestinationRule(
      {
        name: metadata.name,
        namespace: metadata.namespace,
        createdAt: metadata.creationTimestamp,
        host: resolveHost(spec.host, metadata.namespace, settings.domain).toLowerCase(),
        // A rule for some workloads only is never exported.
        exportTo:
          selector === undefined
            ? resolveExportTo(spec.exportTo, metadata.namespace, settings.defaultDestinationRuleExportTo)
            : [metadata.namespace],
        writtenExportTo: selector === undefined ? [...new Set(spec.exportTo)].sort() : ["."],
        workloadSelector: selector,
      },
      {
        policy: policy === undefined ? undefined : toLayeredPolicy(policy),
        subsets: uniqueByName(
          (spec.subsets ?? []).map((subset) => ({
            name: subset.name,
            labels: subset.labels ?? {},
            policy: subset.trafficPolicy === undefined ? undefined : toLayeredPolicy(subset.trafficPolicy as TrafficPolicySpec),
          })),
        ),
      },
    );
  },
);

function uniqueByName<T extends { readonly name: string }>(subsets: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  return subsets.filter((subset) => !seen.has(subset.name) && seen.add(subset.name));
}

export const uniteDestinationRules: (older: DestinationRule, younger: DestinationRule) => DestinationRule = memoByIdentity2(
  (older, younger) => {
    const first = partsOf.get(older);
    const second = partsOf.get(younger);
    if (first === undefined || second === undefined) return older;
    const {
      subsets: _subsets,
      policyFor: _policyFor,
      passesThrough: _passesThrough,
      writtenTlsMode: _mode,
      streamSettings: _streams,
      hashKeyFor: _hashKeyFor,
      failoverLabels: _labels,
      secrets: _secrets,
      ...head
    } = older;
    return createDestinationRule(head, {
      policy: first.policy ?? second.policy,
      subsets: uniqueByName([...first.subsets, ...second.subsets]),
    });
  },
);
