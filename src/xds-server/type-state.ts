// One type on one stream: what the client asked for, what it was sent, what it took, and the response it has not answered yet. Sets are
// shared between streams; a stream that goes its own way (a refusal, a first request with old versions) gets sets of its own.
import type { ResourceSet, XdsResource } from "../kit/index.ts";
import { type SetDeriver, sameResource } from "./set-diff.ts";
import { EMPTY_SET, NOTHING, type Subscription, visiblePart } from "./subscription.ts";

export interface InFlight {
  readonly nonce: string;
  /** What the client has once it takes the response. */
  readonly set: ResourceSet;
  readonly updates: readonly XdsResource[];
  /** What was to be sent again with it, changed or not. */
  readonly again: ReadonlySet<string> | undefined;
  /** The revision the client then has of this type in full. */
  readonly revision: number | undefined;
  /** What the client gave up after this was sent; a later response brings it again. */
  readonly forgotten: Set<string>;
}

export interface Nack {
  readonly version: string;
  readonly message: string;
  readonly at: string;
}

export interface TypeState {
  readonly typeUrl: string;
  /** A request of this type came. */
  heard: boolean;
  /** State of the world: names were given once, so that none now means none. */
  named: boolean;
  subscription: Subscription;
  sent: ResourceSet;
  acked: ResourceSet;
  inFlight: InFlight | undefined;
  lastNonce: string;
  /** A response is due even if nothing is in it. */
  owed: boolean;
  /** Asked for since the last response, so that absence is an answer. */
  asked: Set<string> | undefined;
  /** Sent again although unchanged. */
  again: ReadonlySet<string> | undefined;
  /** What the client refused and has not been replaced since. */
  refused: Map<string, XdsResource> | undefined;
  nack: Nack | undefined;
  ackedRevision: number;
}

export function createTypeState(typeUrl: string): TypeState {
  return {
    typeUrl,
    heard: false,
    named: false,
    subscription: NOTHING,
    sent: EMPTY_SET,
    acked: EMPTY_SET,
    inFlight: undefined,
    lastNonce: "",
    owed: false,
    asked: undefined,
    again: undefined,
    refused: undefined,
    nack: undefined,
    ackedRevision: 0,
  };
}

/** The bytes of a resource that only the client knows. */
const UNKNOWN_BYTES = new Uint8Array();

/** True for what a client brought from an earlier stream and is not in today's config. */
export function isUnknown(resource: XdsResource): boolean {
  return resource.bytes === UNKNOWN_BYTES;
}

/** What a client says it has; the target's own set when that is exactly it. */
export function toKnownSet(versions: Iterable<readonly [string, string]>, target: ResourceSet): ResourceSet {
  const set = new Map<string, XdsResource>();
  let same = true;
  for (const [name, version] of versions) {
    const resource = target.get(name);
    const matches = resource?.version === version;
    same &&= matches;
    set.set(name, matches && resource !== undefined ? resource : { name, version, bytes: UNKNOWN_BYTES });
  }
  if (set.size === 0) return EMPTY_SET;
  return same && set.size === target.size ? target : set;
}

/** Without these names; the set itself when none is in it. */
export function withoutNames(set: ResourceSet, names: Iterable<string>, sets: SetDeriver): ResourceSet {
  const dropped = [...names].filter((name) => set.has(name));
  if (dropped.length === 0) return set;
  if (dropped.length === set.size) return EMPTY_SET;
  return sets.derive(set, set, `-${dropped.join("\n")}`, () => {
    const rest = new Map(set);
    for (const name of dropped) rest.delete(name);
    return rest;
  });
}

export function changeSubscription(state: TypeState, subscription: Subscription): void {
  if (state.subscription === subscription) return;
  state.subscription = subscription;
  state.sent = visiblePart(state.sent, subscription);
  state.acked = visiblePart(state.acked, subscription);
}

export function forgetNames(state: TypeState, names: Iterable<string>, sets: SetDeriver): void {
  const list = [...names];
  if (state.inFlight !== undefined) for (const name of list) state.inFlight.forgotten.add(name);
  state.sent = withoutNames(state.sent, list, sets);
  state.acked = withoutNames(state.acked, list, sets);
}

/** The client took the response in flight, but for what it still refuses. */
export function acceptInFlight(state: TypeState, inFlight: InFlight, sets: SetDeriver): void {
  state.inFlight = undefined;
  state.acked = exceptRefused(takenBy(state, inFlight, sets), state, sets);
  if (state.refused === undefined) {
    state.nack = undefined;
    if (inFlight.revision !== undefined) state.ackedRevision = Math.max(state.ackedRevision, inFlight.revision);
  }
}

/** Clients take the good part of a response and name what they refuse (Envoy's CDS, LDS); one that names nothing refused it all. */
export function refuseInFlight(state: TypeState, inFlight: InFlight, options: { readonly nack: Nack; readonly sets: SetDeriver }): void {
  state.inFlight = undefined;
  state.nack = options.nack;
  const named = inFlight.updates.filter((resource) => mentions(options.nack.message, resource.name));
  const refused = new Map(state.refused);
  for (const resource of named.length > 0 ? named : inFlight.updates) refused.set(resource.name, resource);
  state.refused = refused.size === 0 ? undefined : refused;
  state.acked = exceptRefused(takenBy(state, inFlight, options.sets), state, options.sets);
}

function takenBy(state: TypeState, inFlight: InFlight, sets: SetDeriver): ResourceSet {
  return withoutNames(visiblePart(inFlight.set, state.subscription), inFlight.forgotten, sets);
}

const NAME_CHARACTER = /[A-Za-z0-9_.|:/-]/;

/** As a whole word: `a` is not meant by `ab`. */
function mentions(message: string, name: string): boolean {
  if (name === "") return false;
  for (let at = message.indexOf(name); at !== -1; at = message.indexOf(name, at + 1)) {
    const before = message[at - 1] ?? " ";
    const after = message.slice(at + name.length, at + name.length + 2);
    // A name at the end of a sentence or before ": reason" is whole.
    if (!NAME_CHARACTER.test(before) && (!NAME_CHARACTER.test(after[0] ?? " ") || /^[.:]($|\s)/.test(after))) return true;
  }
  return false;
}

function exceptRefused(taken: ResourceSet, state: TypeState, sets: SetDeriver): ResourceSet {
  const { refused, acked } = state;
  if (refused === undefined) return taken;
  const bad = [...refused].filter(([name, resource]) => sameResource(taken.get(name), resource)).map(([name]) => name);
  if (bad.length === 0) return taken;
  return sets.derive(taken, acked, `!${bad.join("\n")}`, () => {
    const rest = new Map(taken);
    for (const name of bad) {
      const before = acked.get(name);
      if (before === undefined) rest.delete(name);
      else rest.set(name, before);
    }
    return rest;
  });
}

/** What was replaced or given up is no longer refused. */
export function forgetRefusals(state: TypeState): void {
  if (state.refused === undefined) return;
  const refused = new Map([...state.refused].filter(([name, resource]) => sameResource(state.sent.get(name), resource)));
  if (refused.size === state.refused.size) return;
  state.refused = refused.size === 0 ? undefined : refused;
  if (refused.size === 0) state.nack = undefined;
}
