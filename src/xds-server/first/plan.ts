// Make before break, as a list of whole states to pass through: clusters and endpoints are there before a route names them, and go
// after no route names them any more. A state is left only when the client has acknowledged it.
import { memoByIdentity2, TYPE_URL, type ResourceSet, type XdsResources } from "../../kit/index.ts";
import { EMPTY_SET, unionSets } from "./resource-sets.ts";

/** Types that others name, in the order in which they are made. */
const TARGETS: readonly string[] = [TYPE_URL.cluster, TYPE_URL.endpoint];

const NOTHING: XdsResources = { byType: new Map() };

function setOf(resources: XdsResources, typeUrl: string): ResourceSet {
  return resources.byType.get(typeUrl) ?? EMPTY_SET;
}

function same(a: XdsResources, b: XdsResources): boolean {
  return [...new Set([...a.byType.keys(), ...b.byType.keys()])].every((type) => a.byType.get(type) === b.byType.get(type));
}

const steps: (from: XdsResources, to: XdsResources) => readonly XdsResources[] = memoByIdentity2((from, to) => {
  const both = new Map(TARGETS.map((type) => [type, unionSets(setOf(from, type), setOf(to, type))]));
  const made: XdsResources = { byType: new Map([...from.byType, ...both]) };
  const switched: XdsResources = { byType: new Map([...to.byType, ...both]) };
  const path: XdsResources[] = [];
  let last = from;
  for (const state of [made, switched]) {
    if (same(last, state)) continue;
    path.push(state);
    last = state;
  }
  // The last state is `to` itself, so that its identity says where the client is.
  if (path.length > 0 && same(last, to)) path[path.length - 1] = to;
  else path.push(to);
  return path;
});

/** States from what the client has to what it shall have; the last is `to`. Types missing in a state are not answered in it. */
export function planSteps(from: XdsResources | undefined, to: XdsResources): readonly XdsResources[] {
  return from === to ? [] : steps(from ?? NOTHING, to);
}
