// EnvoyFilter → model (Istio pilot/pkg/model/envoyfilter.go convertToEnvoyFilterWrapper). What Istio's version of it does not read is left out.
import { memoByIdentity } from "../../kit/index.ts";
import type {
  ApplyTo,
  ClusterPatchMatch,
  EnvoyFilter,
  EnvoyPatch,
  ListenerPatchMatch,
  PatchContext,
  PatchOperation,
  ProxyPatch,
  RouteConfigurationPatchMatch,
} from "../../model/index.ts";
import { compileRegex, type EnvoyFilterSpec, type Resource } from "../../resources/index.ts";

type PatchSpec = NonNullable<EnvoyFilterSpec["configPatches"]>[number];
type MatchSpec = NonNullable<PatchSpec["match"]>;

/** Kinds of objects that have an order; into the others an insertion is an addition. */
const ORDERED: ReadonlySet<string> = new Set(["HTTP_FILTER", "NETWORK_FILTER", "HTTP_ROUTE", "LISTENER_FILTER"]);

function toOperation(operation: string, applyTo: string): PatchOperation {
  return operation.startsWith("INSERT_") && !ORDERED.has(applyTo) ? "ADD" : (operation as PatchOperation);
}

function toListenerMatch(spec: MatchSpec["listener"]): ListenerPatchMatch | undefined {
  if (spec === undefined) return undefined;
  const chain = spec.filterChain;
  return {
    name: spec.name ?? "",
    portNumber: spec.portNumber ?? 0,
    listenerFilter: spec.listenerFilter ?? "",
    filterChain:
      chain === undefined
        ? undefined
        : {
            name: chain.name ?? "",
            sni: chain.sni ?? "",
            transportProtocol: chain.transportProtocol ?? "",
            applicationProtocols: (chain.applicationProtocols ?? "") === "" ? [] : (chain.applicationProtocols ?? "").split(","),
            destinationPort: chain.destinationPort ?? 0,
            filter: chain.filter === undefined ? undefined : (chain.filter.name ?? ""),
            subFilter: chain.filter?.subFilter === undefined ? undefined : (chain.filter.subFilter.name ?? ""),
          },
  };
}

function toRouteMatch(spec: MatchSpec["routeConfiguration"]): RouteConfigurationPatchMatch | undefined {
  if (spec === undefined) return undefined;
  const { vhost } = spec;
  return {
    name: spec.name ?? "",
    portNumber: spec.portNumber ?? 0,
    portName: spec.portName ?? "",
    gateway: spec.gateway ?? "",
    vhost:
      vhost === undefined
        ? undefined
        : {
            name: vhost.name ?? "",
            domainName: vhost.domainName ?? "",
            route: vhost.route === undefined ? undefined : { name: vhost.route.name ?? "", action: vhost.route.action ?? "ANY" },
          },
  };
}

function toClusterMatch(spec: MatchSpec["cluster"]): ClusterPatchMatch | undefined {
  if (spec === undefined) return undefined;
  return { name: spec.name ?? "", portNumber: spec.portNumber ?? 0, service: spec.service ?? "", subset: spec.subset ?? "" };
}

function toPatch(spec: PatchSpec): ProxyPatch {
  const { match } = spec;
  const version = match?.proxy?.proxyVersion ?? "";
  const applyTo = spec.applyTo as ApplyTo;
  const patch: EnvoyPatch = Object.freeze({
    applyTo,
    context: (match?.context ?? "ANY") as PatchContext,
    listener: toListenerMatch(match?.listener),
    routeConfiguration: toRouteMatch(match?.routeConfiguration),
    cluster: toClusterMatch(match?.cluster),
    operation: toOperation(spec.patch?.operation ?? "", applyTo),
    value: spec.patch?.value,
  });
  return { version: version === "" ? undefined : compileRegex(version), metadata: match?.proxy?.metadata ?? {}, patch };
}

export const toEnvoyFilter: (resource: Resource<EnvoyFilterSpec>) => EnvoyFilter = memoByIdentity(({ metadata, spec }) => {
  const targets = spec.targetRefs ?? [];
  return Object.freeze({
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp,
    priority: spec.priority ?? 0,
    labels: spec.workloadSelector?.labels,
    gateways:
      targets.length === 0
        ? undefined
        : targets.filter((ref) => ref.group === "gateway.networking.k8s.io" && ref.kind === "Gateway").map((ref) => ref.name),
    patches: (spec.configPatches ?? []).map(toPatch),
  });
});
