// One ADS stream: brings its client from what it has to what it shall have, type by type in Envoy's order (clusters, endpoints, listeners,
// routes, virtual hosts), with at most one response of a type in flight; what changes meanwhile is sent as one. Protocol: Envoy, "xDS REST
// and gRPC protocol". Its state is a handful of references to shared sets: a thousand streams in step cost one computation.
import { type Clock, memoByIdentity, type ResourceSet, TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";
import type { Protocol } from "./discovery-request.ts";
import { type GateContext, nextSet, routeOfHost } from "./gates.ts";
import { diffSets, hashSet, isEmptyDiff, sameResource, type SetDeriver, type SetDiff, union } from "./set-diff.ts";
import type { SharedResponses } from "./shared-responses.ts";
import { EMPTY_SET, type Subscriptions, visiblePart } from "./subscription.ts";
import { acceptInFlight, forgetRefusals, createTypeState, forgetNames, type Nack, refuseInFlight, type TypeState } from "./type-state.ts";

/** What is told of one type on one stream. */
export interface StreamTypeStatus {
  readonly typeUrl: string;
  /** Hash over names and versions of what was sent, and of what was acknowledged. */
  readonly sent: string;
  readonly acked: string;
  readonly resources: number;
  readonly nack?: Nack;
}

/** What all streams of a server share. */
export interface SharedParts {
  readonly responses: SharedResponses;
  readonly subscriptions: Subscriptions;
  readonly sets: SetDeriver;
}

export interface AdsStreamOptions {
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly shared: SharedParts;
  readonly send: (bytes: Buffer) => void;
  /** Something was acknowledged or refused. */
  readonly onAnswer: () => void;
  /** What earlier streams of the same client left unfinished. */
  readonly unfinished?: ReadonlySet<string> | undefined;
}

/** The inner side of a stream, for the readers of requests. */
export interface AdsStream {
  readonly shared: SharedParts;
  set(resources: XdsResources, revision: number): void;
  ackedRevision(): number;
  types(): readonly StreamTypeStatus[];
  stateOf(typeUrl: string): TypeState;
  /** Has this type been asked for? */
  knows(typeUrl: string): boolean;
  typeCount(): number;
  targetOf(typeUrl: string): ResourceSet;
  /** The client answered a response: took it, or refused it with a reason. */
  answer(state: TypeState, nonce: string, error: string | undefined): void;
  /** A type is asked for the first time; the client may have some of it from an earlier stream. */
  opened(hasSome: boolean): void;
  /** Its route configurations of these names are gone, and their virtual hosts with them. */
  dropHostsOf(routes: readonly string[]): void;
  /** Clusters that the client may have taken anew while their endpoints, without which it waits, were still on their way. */
  unfinished(): ReadonlySet<string> | undefined;
  /** Sends what may go. */
  pump(): void;
  close(): void;
}

/** Additions go in this order; types not named here come after. */
const ORDER: readonly string[] = [
  TYPE_URL.secret,
  TYPE_URL.cluster,
  TYPE_URL.endpoint,
  TYPE_URL.listener,
  TYPE_URL.route,
  TYPE_URL.virtualHost,
];
/** The types whose response is the whole state (state of the world). */
const WHOLE_TYPES: ReadonlySet<string> = new Set([TYPE_URL.listener, TYPE_URL.cluster]);
/** A client asks within twice this time for what new listeners and clusters need. */
const SETTLE_MS = 500;

const routesWithHosts: (hosts: ResourceSet) => ReadonlySet<string> = memoByIdentity((hosts) => new Set([...hosts.keys()].map(routeOfHost)));

function rankOf(state: TypeState): number {
  const rank = ORDER.indexOf(state.typeUrl);
  return rank === -1 ? ORDER.length : rank;
}

export function createAdsStream(options: AdsStreamOptions): AdsStream {
  const { clock, protocol, shared } = options;
  const { sets } = shared;
  const states: TypeState[] = [];
  let target: XdsResources | undefined;
  let revision = 0;
  let acked = 0;
  let settled = false;
  let returned = false;
  let closed = false;
  let answered = false;
  let cancelSettle: (() => void) | undefined;

  const find = (typeUrl: string): TypeState | undefined => states.find((state) => state.typeUrl === typeUrl);
  const targetOf = (typeUrl: string): ResourceSet => target?.byType.get(typeUrl) ?? EMPTY_SET;
  const context: GateContext = {
    stateOf: (typeUrl) => {
      const state = find(typeUrl);
      return state?.heard === true ? state : undefined;
    },
    targetOf,
    get settled() {
      return settled;
    },
    get returned() {
      return returned;
    },
    sets,
  };

  function stateOf(typeUrl: string): TypeState {
    const known = find(typeUrl);
    if (known !== undefined) return known;
    const state = createTypeState(typeUrl);
    states.push(state);
    states.sort((a, b) => rankOf(a) - rankOf(b));
    return state;
  }

  function unsettle(): void {
    settled = false;
    cancelSettle?.();
    // Twice, so that a pause of this process does not count as the client's: what it sent meanwhile is read before the second half is over.
    cancelSettle = clock.after(SETTLE_MS, () => {
      cancelSettle = clock.after(SETTLE_MS, () => {
        settled = true;
        pump();
        options.onAnswer();
      });
    });
  }

  function pump(): void {
    if (closed || target === undefined) return;
    for (const state of states) push(state);
    acked = Math.max(acked, completeRevision());
  }

  function push(state: TypeState): void {
    if (!state.heard || state.inFlight !== undefined) return;
    const { typeUrl } = state;
    const all = targetOf(typeUrl);
    const wanted = visiblePart(all, state.subscription);
    const { set, waiting: gated } = nextSet(state, wanted, context);
    // The rest of the target may be asked for in a moment.
    const waiting = gated || (!settled && wanted !== all);
    const whole = protocol === "sotw" && (state.subscription.wildcard || WHOLE_TYPES.has(typeUrl));
    // A first whole response without what still waits would take it from a client that came back.
    if (whole && gated && state.owed && !settled) return;
    const diff = diffSets(state.sent, set);
    const again = againOf(state, set);
    const missing = protocol === "delta" && state.asked !== undefined ? [...state.asked].filter((name) => !wanted.has(name)) : [];
    const nothing = protocol === "sotw" && !whole ? diff.updates.length === 0 : isEmptyDiff(diff);
    if (nothing && again.length === 0 && missing.length === 0 && !state.owed) {
      if (state.acked === state.sent) state.acked = set;
      state.sent = set;
      forgetRefusals(state);
      state.asked = undefined;
      state.again = undefined;
      if (!waiting && state.refused === undefined && state.nack === undefined) state.ackedRevision = revision;
      return;
    }
    const content = { typeUrl, diff, again, againKey: again.length === 0 ? undefined : state.again, missing, next: set, whole };
    const response = protocol === "delta" ? shared.responses.delta(content) : shared.responses.sotw(content);
    state.owed = false;
    state.asked = undefined;
    state.sent = set;
    forgetRefusals(state);
    state.lastNonce = response.nonce;
    state.inFlight = {
      nonce: response.nonce,
      set,
      updates: diff.updates,
      again: state.again,
      revision: waiting ? undefined : revision,
      forgotten: new Set(),
    };
    state.again = undefined;
    if (typeUrl === TYPE_URL.cluster) askForEndpointsAgain(diff);
    options.send(response.bytes);
  }

  /** An updated cluster waits for its endpoints even if they are the same (Envoy, "Resource warming"). */
  function askForEndpointsAgain(clusters: SetDiff): void {
    if (clusters.updates.length === 0) return;
    const endpoints = stateOf(TYPE_URL.endpoint);
    endpoints.again = union(endpoints.again, clusters.updatedNames);
  }

  function againOf(state: TypeState, set: ResourceSet): readonly XdsResource[] {
    if (state.again === undefined || state.sent.size === 0) return [];
    const list: XdsResource[] = [];
    for (const name of state.again) {
      const resource = set.get(name);
      if (resource !== undefined && sameResource(state.sent.get(name), resource)) list.push(resource);
    }
    return list;
  }

  /** The revision up to which the client has everything. */
  function completeRevision(): number {
    if (target === undefined || find(TYPE_URL.listener)?.heard !== true) return 0;
    let least = revision;
    for (const [typeUrl, set] of target.byType) {
      if (set.size === 0 || settled || context.stateOf(typeUrl) !== undefined) continue;
      least = 0;
    }
    for (const state of states) if (state.heard) least = Math.min(least, state.ackedRevision);
    return least;
  }

  function dropHostsOf(routes: readonly string[]): void {
    const hosts = find(TYPE_URL.virtualHost);
    if (hosts === undefined || hosts.sent.size + hosts.acked.size === 0) return;
    const gone = new Set(routes);
    forgetNames(hosts, new Set([...hosts.sent.keys(), ...hosts.acked.keys()].filter((name) => gone.has(routeOfHost(name)))), sets);
  }

  /**
   * A new route configuration has none of its hosts, whatever was sent before. When there are none, Envoy's listener still waits for word of
   * one (an empty response does not reach it, only a name with its prefix does): it is told that a host of it does not exist.
   */
  function offerHostsOf(routes: readonly string[]): void {
    const hosts = find(TYPE_URL.virtualHost);
    if (hosts === undefined || routes.length === 0) return;
    const fresh = new Set(routes);
    forgetNames(
      hosts,
      [...hosts.sent.keys()].filter((name) => fresh.has(routeOfHost(name))),
      sets,
    );
    const withHosts = routesWithHosts(targetOf(TYPE_URL.virtualHost));
    const empty = routes.filter((name) => !withHosts.has(name)).map((name) => `${name}/*`);
    if (hosts.heard && empty.length > 0) hosts.asked = new Set([...(hosts.asked ?? []), ...empty]);
  }

  // Its cluster may wait for them, and that it has them from before does not help it.
  if (options.unfinished !== undefined) stateOf(TYPE_URL.endpoint).again = options.unfinished;

  return {
    shared,
    set(resources, next) {
      target = resources;
      revision = Math.max(revision, next);
      pump();
    },
    ackedRevision: () => acked,
    types: () =>
      states
        .filter((state) => state.heard)
        .map((state) => ({
          typeUrl: state.typeUrl,
          sent: hashSet(state.sent),
          acked: hashSet(state.acked),
          resources: state.sent.size,
          ...(state.nack === undefined ? {} : { nack: state.nack }),
        })),
    stateOf,
    knows: (typeUrl) => find(typeUrl) !== undefined,
    typeCount: () => states.length,
    targetOf,
    answer(state, nonce, error) {
      const { inFlight, acked: before } = state;
      if (inFlight === undefined || nonce !== inFlight.nonce) return;
      if (error === undefined) acceptInFlight(state, inFlight, sets);
      else {
        const at = new Date(clock.wall()).toISOString();
        refuseInFlight(state, inFlight, { nack: { version: hashSet(inFlight.set), message: error, at }, sets });
      }
      const { typeUrl } = state;
      if ((typeUrl === TYPE_URL.cluster || typeUrl === TYPE_URL.listener) && before !== state.acked) unsettle();
      if (typeUrl === TYPE_URL.route) {
        const names = inFlight.updates.map((resource) => resource.name);
        offerHostsOf(names.filter((name) => !before.has(name) && state.acked.has(name)));
      }
      answered = true;
    },
    opened(hasSome) {
      returned ||= hasSome;
      unsettle();
    },
    dropHostsOf,
    unfinished() {
      const endpoints = find(TYPE_URL.endpoint);
      return union(endpoints?.again, endpoints?.inFlight?.again);
    },
    pump() {
      pump();
      if (!answered) return;
      answered = false;
      options.onAnswer();
    },
    close() {
      closed = true;
      cancelSettle?.();
    },
  };
}
