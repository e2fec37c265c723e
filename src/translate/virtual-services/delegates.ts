// Delegates merged into the rules that name them: a delegate may only narrow the root's match, and what it lacks comes from the root
// (Istio pilot/pkg/model/virtualservice.go mergeVirtualServicesIfNeeded).
import type { HttpMatch, HttpRoute, MatchScope, StringMatch, VirtualService } from "../../model/index.ts";
import { compareText, isVisible } from "../names.ts";
import { sameElements } from "../stable.ts";
import { delegateOf } from "./to-virtual-service.ts";

type Named = readonly (readonly [string, StringMatch])[];

/** Null, or a value that only one side has, never conflicts; a regex on either side always does. */
export function stringMatchConflict(root: StringMatch | undefined, leaf: StringMatch | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  if (root.kind === "regex" || leaf.kind === "regex" || root.kind === "present" || leaf.kind === "present") return true;
  // An empty value is no value to Istio here, and fits nothing.
  if (root.value === "" || leaf.value === "") return true;
  if (root.kind === "exact") return leaf.kind !== "exact" || leaf.value !== root.value;
  return !leaf.value.startsWith(root.value);
}

function namedConflict(root: Named, leaf: Named): boolean {
  const byName = new Map(root);
  return leaf.some(([name, match]) => stringMatchConflict(byName.get(name), match));
}

function scopeConflict(root: MatchScope, leaf: MatchScope): boolean {
  if (root.port !== undefined && leaf.port !== undefined && root.port !== leaf.port) return true;
  // The only condition that a delegate must repeat.
  if (root.sourceNamespace !== "" && root.sourceNamespace !== leaf.sourceNamespace) return true;
  for (const [name, value] of Object.entries(leaf.sourceLabels)) {
    if (Object.hasOwn(root.sourceLabels, name) && root.sourceLabels[name] !== value) return true;
  }
  if (root.gateways.length === 0 || leaf.gateways.length === 0) return false;
  return root.gateways.length < leaf.gateways.length || leaf.gateways.some((gateway) => !root.gateways.includes(gateway));
}

function matchConflict(root: HttpMatch, leaf: HttpMatch): boolean {
  return (
    stringMatchConflict(root.uri, leaf.uri) ||
    stringMatchConflict(root.scheme, leaf.scheme) ||
    stringMatchConflict(root.method, leaf.method) ||
    stringMatchConflict(root.authority, leaf.authority) ||
    namedConflict(root.headers, leaf.headers) ||
    namedConflict(root.withoutHeaders, leaf.withoutHeaders) ||
    namedConflict(root.queryParams, leaf.queryParams) ||
    root.ignoreUriCase !== leaf.ignoreUriCase ||
    scopeConflict(root.scope, leaf.scope)
  );
}

function joinNames(root: string, leaf: string): string {
  return root === "" || leaf === "" ? root + leaf : `${root}-${leaf}`;
}

function mergeNamed(root: Named, leaf: Named): Named {
  return [...new Map([...root, ...leaf])].sort(([a], [b]) => compareText(a, b));
}

function mergeMatch(root: HttpMatch, leaf: HttpMatch): HttpMatch {
  return {
    name: joinNames(root.name, leaf.name),
    scope: {
      port: leaf.scope.port ?? root.scope.port,
      sourceLabels: { ...root.scope.sourceLabels, ...leaf.scope.sourceLabels },
      sourceNamespace: leaf.scope.sourceNamespace || root.scope.sourceNamespace,
      gateways: leaf.scope.gateways.length > 0 ? leaf.scope.gateways : root.scope.gateways,
    },
    uri: leaf.uri ?? root.uri,
    ignoreUriCase: leaf.ignoreUriCase,
    scheme: leaf.scheme ?? root.scheme,
    method: leaf.method ?? root.method,
    authority: leaf.authority ?? root.authority,
    headers: mergeNamed(root.headers, leaf.headers),
    withoutHeaders: mergeNamed(root.withoutHeaders, leaf.withoutHeaders),
    queryParams: mergeNamed(root.queryParams, leaf.queryParams),
    statPrefix: leaf.statPrefix || root.statPrefix,
  };
}

/** Every pair that fits; undefined when one of the leaf's matches fits none of the root's. */
function mergeMatches(root: readonly HttpMatch[], leaf: readonly HttpMatch[]): readonly HttpMatch[] | undefined {
  if (root.length === 0) return leaf;
  if (leaf.length === 0) return root;
  const merged: HttpMatch[] = [];
  for (const narrow of leaf) {
    const fitting = root.filter((wide) => !matchConflict(wide, narrow));
    if (fitting.length === 0) return undefined;
    for (const wide of fitting) merged.push(mergeMatch(wide, narrow));
  }
  return merged;
}

/** undefined: the two contradict each other, and the delegate's rule is dropped. */
export function mergeRoute(root: HttpRoute, leaf: HttpRoute): HttpRoute | undefined {
  const match = mergeMatches(root.match, leaf.match);
  if (match === undefined) return undefined;
  return Object.freeze({
    name: joinNames(root.name, leaf.name),
    match,
    route: leaf.route,
    redirect: leaf.redirect,
    directResponse: leaf.directResponse ?? root.directResponse,
    rewrite: leaf.rewrite ?? root.rewrite,
    timeoutMs: leaf.timeoutMs ?? root.timeoutMs,
    retries: leaf.retries ?? root.retries,
    fault: leaf.fault ?? root.fault,
    mirrors: leaf.mirrors.length > 0 ? leaf.mirrors : root.mirrors,
    corsPolicy: leaf.corsPolicy ?? root.corsPolicy,
    headers: leaf.headers ?? root.headers,
    stickyShares: root.stickyShares || leaf.stickyShares,
  });
}

const mergedRoots = new WeakMap<
  VirtualService,
  { readonly leaves: readonly (VirtualService | undefined)[]; readonly merged: VirtualService }
>();

/** The root with its delegates' rules in place of its own; the same object while root and delegates are the same. */
function mergeRoot(root: VirtualService, delegates: ReadonlyMap<string, VirtualService>): VirtualService {
  const leaves = root.http.map((route) => {
    const reference = delegateOf.get(route);
    const leaf = reference === undefined ? undefined : delegates.get(`${reference.namespace}/${reference.name}`);
    return leaf !== undefined && isVisible(leaf.exportTo, root.namespace) ? leaf : undefined;
  });
  const before = mergedRoots.get(root);
  if (before !== undefined && sameElements(before.leaves, leaves)) return before.merged;
  const http = root.http.flatMap((route, index) => {
    if (!delegateOf.has(route)) return [route];
    // A delegate cannot delegate again.
    const rules = (leaves[index]?.http ?? []).filter((leaf) => !delegateOf.has(leaf));
    return rules.map((leaf) => mergeRoute(route, leaf)).filter((merged) => merged !== undefined);
  });
  const merged = Object.freeze({ ...root, http });
  mergedRoots.set(root, { leaves, merged });
  return merged;
}

/** VirtualServices that apply, in the given order: without the delegates, with their rules merged in. */
export function mergeDelegates(virtualServices: readonly VirtualService[]): readonly VirtualService[] {
  const delegates = new Map<string, VirtualService>();
  for (const one of virtualServices) if (one.hosts.length === 0) delegates.set(`${one.namespace}/${one.name}`, one);
  const roots = virtualServices.filter((one) => one.hosts.length > 0);
  return roots.map((one) => (one.http.some((route) => delegateOf.has(route)) ? mergeRoot(one, delegates) : one));
}
