// Delta xDS of one type: only what differs is sent, and a reconnecting client keeps what its versions match.
// Protocol: Envoy, "xDS REST and gRPC protocol", incremental variants.
import type { ResourceSet, XdsResource } from "../../kit/index.ts";
import type { Channel, ChannelOptions, TypeRequest } from "./channel.ts";
import { createSubscription } from "./subscription.ts";
import { diffSets, EMPTY_SET, hashSet, type SetDiff } from "./resource-sets.ts";
import { encodeDelta } from "./wire.ts";

interface Flight {
  readonly nonce: string;
  readonly set: ResourceSet;
}

/** One body for all streams that need exactly this difference. */
const sharedBodies = new WeakMap<SetDiff, { readonly nonce: string; readonly bytes: Buffer }>();

export function createDeltaChannel(options: ChannelOptions): Channel {
  const subscription = createSubscription();
  /** The client has of this set what it subscribed to, but for `stale`. */
  let have: ResourceSet = EMPTY_SET;
  let target: ResourceSet | undefined;
  /** Names whose content the client may lack, or has no answer for. */
  const stale = new Set<string>();
  /** Names that may not go yet; `release` offers them again. */
  const held = new Set<string>();
  /** Names only the client knows. */
  const gone = new Set<string>();
  let removalsAllowed = true;
  let flight: Flight | undefined;
  let owesAnswer = false;
  let first = true;
  let acked = "";
  /** What the client had when it came back, until the first target tells which of it is gone. */
  let ownNames: Set<string> | undefined;
  let nack: { version: string; message: string; at: string } | undefined;

  function bodyOf(set: ResourceSet): { nonce: string; bytes: Buffer } | undefined {
    const diff = diffSets(have, set);
    const plain = subscription.wildcard() && stale.size === 0 && held.size === 0 && gone.size === 0 && options.mayGo === undefined;
    if (plain && !owesAnswer && diff.changed.length + diff.removed.length > 0) {
      let shared = sharedBodies.get(diff);
      if (shared === undefined) {
        const nonce = `${hashSet(set)}-${hashSet(have)}`;
        shared = {
          nonce,
          bytes: encodeDelta({ typeUrl: options.typeUrl, version: hashSet(set), nonce, resources: diff.changed, removed: diff.removed }),
        };
        sharedBodies.set(diff, shared);
      }
      return shared;
    }
    const resources = new Map<string, XdsResource>();
    const removed = new Set<string>();
    const offer = (name: string, resource: XdsResource | undefined): void => {
      if (!subscription.covers(name)) return;
      if (resource === undefined) removed.add(name);
      else if (options.mayGo?.(name) === false) held.add(name);
      else {
        held.delete(name);
        resources.set(name, resource);
      }
    };
    for (const resource of diff.changed) offer(resource.name, resource);
    for (const name of diff.removed) offer(name, undefined);
    for (const name of stale) offer(name, set.get(name));
    for (const name of [...held]) {
      if (!set.has(name)) held.delete(name);
      else if (options.mayGo?.(name) !== false) offer(name, set.get(name));
    }
    if (removalsAllowed) {
      for (const name of gone) removed.add(name);
      gone.clear();
    }
    stale.clear();
    if (resources.size === 0 && removed.size === 0 && !owesAnswer) return undefined;
    const nonce = options.nextNonce();
    const bytes = encodeDelta({
      typeUrl: options.typeUrl,
      version: hashSet(set),
      nonce,
      resources: [...resources.values()],
      removed: [...removed],
    });
    return { nonce, bytes };
  }

  function sync(): void {
    if (flight !== undefined || target === undefined || first) return;
    const set = target;
    const body = bodyOf(set);
    have = set;
    if (body === undefined) {
      if (nack === undefined) acked = hashSet(set);
      return;
    }
    owesAnswer = false;
    flight = { nonce: body.nonce, set };
    options.send(body.bytes);
  }

  /** A client that comes back says what it has; only what differs goes out. */
  function begin(request: TypeRequest): void {
    first = false;
    const known = Object.entries(request.initialVersions);
    if (request.subscribe.length === 0 || request.subscribe.includes("*")) {
      subscription.addWildcard();
      if (known.length === 0) owesAnswer = true;
    }
    if (known.length === 0) return;
    have = new Map(known.map(([name, version]) => [name, { name, version, bytes: new Uint8Array() }]));
    ownNames = new Set(have.keys());
  }

  function settleOwnNames(set: ResourceSet): void {
    if (ownNames === undefined) return;
    const matching = new Map<string, XdsResource>();
    for (const name of ownNames) {
      const wanted = set.get(name);
      if (wanted === undefined) {
        if (subscription.covers(name)) gone.add(name);
      } else if (have.get(name)?.version === wanted.version) matching.set(name, wanted);
    }
    const complete = matching.size === set.size;
    have = complete ? set : matching;
    ownNames = undefined;
  }

  return {
    onRequest(request) {
      const opening = first;
      if (opening) begin(request);
      for (const name of request.subscribe) {
        if (name === "*") {
          if (!opening) {
            subscription.addWildcard();
            for (const known of target?.keys() ?? []) stale.add(known);
          }
          continue;
        }
        const isNew = subscription.add(name);
        if (!(opening && request.initialVersions[name] !== undefined) && (isNew || !opening)) stale.add(subscription.intern(name));
      }
      for (const name of request.unsubscribe) {
        subscription.remove(name);
        stale.delete(name);
      }
      if (flight !== undefined && request.nonce === flight.nonce) {
        const { set } = flight;
        flight = undefined;
        if (request.error === undefined) {
          nack = undefined;
          acked = hashSet(set);
        } else nack = { version: hashSet(set), message: request.error, at: new Date(options.wall()).toISOString() };
      }
      if (target !== undefined) settleOwnNames(target);
      sync();
    },
    setTarget(set) {
      target = set;
      if (set !== undefined) {
        settleOwnNames(set);
        sync();
      }
    },
    allowRemovals(allowed) {
      removalsAllowed = allowed;
      if (allowed && gone.size > 0) sync();
    },
    offerAgain(names) {
      for (const name of names) if (subscription.covers(name)) stale.add(name);
      sync();
    },
    inSync: () =>
      first || (flight === undefined && nack === undefined && stale.size === 0 && have === target && !(removalsAllowed && gone.size > 0)),
    isQuiet: () =>
      first || (flight === undefined && (stale.size === 0 || target === undefined) && (target === undefined || have === target)),
    isWildcard: () => subscription.wildcard(),
    has: (name) => !first && subscription.covers(name) && flight === undefined && !stale.has(name) && have.has(name),
    status: () => ({
      typeUrl: options.typeUrl,
      sent: hashSet(have),
      acked,
      resources: subscription.wildcard() ? have.size : subscription.count(have),
      ...(nack === undefined ? {} : { nack }),
    }),
  };
}
