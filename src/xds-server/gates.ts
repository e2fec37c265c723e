// Make before break: what of the wanted set a client may be sent now. A route waits until the client has the clusters it names, with
// their endpoints; a cluster goes only when no route the client may hold names it. Order of the types: Envoy, "xDS protocol",
// eventual consistency considerations. Virtual hosts wait for their route configuration, since Envoy drops those that come before it.
import { memoByIdentity, type ResourceSet, TYPE_URL, type XdsResource } from "../kit/index.ts";
import { diffSets, type SetDeriver } from "./set-diff.ts";
import { EMPTY_SET, wants } from "./subscription.ts";
import { isUnknown, type TypeState } from "./type-state.ts";

/** What the gates ask about the stream. */
export interface GateContext {
  stateOf(typeUrl: string): TypeState | undefined;
  targetOf(typeUrl: string): ResourceSet;
  /** The client had time to ask for what its new listeners and clusters need. */
  readonly settled: boolean;
  /** It came with config of an earlier stream, so it may hold routes that were not told yet. */
  readonly returned: boolean;
  readonly sets: SetDeriver;
}

/** `never`: the client does not want it, and nobody has to wait for that. */
type Gate = "open" | "wait" | "never";

/** The types whose resources name clusters. */
const NAMING_TYPES = [TYPE_URL.listener, TYPE_URL.route, TYPE_URL.virtualHost] as const;
const GATED_TYPES: ReadonlySet<string> = new Set(NAMING_TYPES);

/** `ROUTE_CONFIGURATION/HOST` (Envoy, VHDS). */
export function routeOfHost(name: string): string {
  const slash = name.indexOf("/");
  return slash === -1 ? name : name.slice(0, slash);
}

function has(state: TypeState | undefined, name: string): boolean {
  return state !== undefined && state.sent.has(name) && state.acked.has(name);
}

function clusterGate(name: string, context: GateContext): Gate {
  const clusters = context.stateOf(TYPE_URL.cluster);
  // A client that asks for clusters one by one (gRPC) learns their names from the route; a name that does not exist is no reason to wait.
  if (clusters === undefined || !clusters.subscription.wildcard || !context.targetOf(TYPE_URL.cluster).has(name)) return "open";
  if (!has(clusters, name)) return "wait";
  if (!context.targetOf(TYPE_URL.endpoint).has(name)) return "open";
  const endpoints = context.stateOf(TYPE_URL.endpoint);
  if (endpoints === undefined || !wants(endpoints.subscription, name)) return context.settled ? "open" : "wait";
  return has(endpoints, name) ? "open" : "wait";
}

function hostGate(name: string, context: GateContext): Gate {
  const route = routeOfHost(name);
  const routes = context.stateOf(TYPE_URL.route);
  if (!context.targetOf(TYPE_URL.route).has(route)) return "open";
  if (routes === undefined || !wants(routes.subscription, route)) return context.settled ? "never" : "wait";
  return has(routes, route) ? "open" : "wait";
}

function gateOf(typeUrl: string, resource: XdsResource, context: GateContext): Gate {
  if (typeUrl === TYPE_URL.virtualHost) {
    const gate = hostGate(resource.name, context);
    if (gate !== "open") return gate;
  }
  for (const reference of resource.references ?? []) {
    if (reference.typeUrl === TYPE_URL.cluster && clusterGate(reference.name, context) !== "open") return "wait";
  }
  return "open";
}

const clustersNamedIn: (set: ResourceSet) => { readonly names: ReadonlySet<string>; readonly unknown: boolean } = memoByIdentity((set) => {
  const names = new Set<string>();
  let unknown = false;
  for (const resource of set.values()) {
    unknown ||= isUnknown(resource);
    for (const reference of resource.references ?? []) if (reference.typeUrl === TYPE_URL.cluster) names.add(reference.name);
  }
  return { names, unknown };
});

function isClusterNamed(name: string, context: GateContext): boolean {
  if (context.returned && !(context.settled && context.stateOf(TYPE_URL.listener) !== undefined)) return true;
  for (const typeUrl of NAMING_TYPES) {
    const state = context.stateOf(typeUrl);
    if (state === undefined) continue;
    for (const set of state.sent === state.acked ? [state.sent] : [state.sent, state.acked]) {
      const named = clustersNamedIn(set);
      if (named.unknown || named.names.has(name)) return true;
    }
  }
  return false;
}

/** Must the client keep a resource that is not wanted any more? */
function isHeld(typeUrl: string, name: string, context: GateContext): boolean {
  switch (typeUrl) {
    case TYPE_URL.cluster:
      return isClusterNamed(name, context);
    case TYPE_URL.endpoint: {
      const clusters = context.stateOf(TYPE_URL.cluster);
      if (clusters === undefined || context.targetOf(TYPE_URL.cluster).has(name)) return false;
      // A client unsubscribes from the endpoints of a cluster that it has removed: it is given the time.
      return clusters.sent.has(name) || clusters.acked.has(name) || !context.settled;
    }
    case TYPE_URL.route: {
      const listeners = context.stateOf(TYPE_URL.listener);
      return listeners?.heard === true && (listeners.inFlight !== undefined || listeners.sent !== listeners.acked || !context.settled);
    }
    case TYPE_URL.virtualHost: {
      // A removed listener drains with its routes; the client unsubscribes from them when it is done.
      const route = routeOfHost(name);
      const routes = context.stateOf(TYPE_URL.route);
      return routes !== undefined && wants(routes.subscription, route) && !context.targetOf(TYPE_URL.route).has(route);
    }
    default:
      return false;
  }
}

export interface NextSet {
  /** What the client may have now. */
  readonly set: ResourceSet;
  /** Some of what it shall have waits for an acknowledgement. */
  readonly waiting: boolean;
}

export function nextSet(state: TypeState, wanted: ResourceSet, context: GateContext): NextSet {
  const { sent, typeUrl } = state;
  if (sent === wanted) return { set: wanted, waiting: false };
  const diff = diffSets(sent, wanted);
  const blocked: string[] = [];
  let waiting = false;
  if (GATED_TYPES.has(typeUrl)) {
    for (const resource of diff.updates) {
      const gate = gateOf(typeUrl, resource, context);
      if (gate === "open") continue;
      blocked.push(resource.name);
      waiting ||= gate === "wait";
    }
  }
  const held = diff.removed.filter((name) => isHeld(typeUrl, name, context));
  if (blocked.length === 0 && held.length === 0) return { set: wanted, waiting };
  if (blocked.length === diff.updates.length && held.length === diff.removed.length) return { set: sent, waiting };
  const set = context.sets.derive(sent, wanted, `${blocked.join("\n")}\0${held.join("\n")}`, () => {
    const next = new Map(wanted);
    for (const name of blocked) {
      const before = sent.get(name);
      if (before === undefined) next.delete(name);
      else next.set(name, before);
    }
    for (const name of held) {
      const before = sent.get(name);
      if (before !== undefined) next.set(name, before);
    }
    return next.size === 0 ? EMPTY_SET : next;
  });
  return { set, waiting };
}
