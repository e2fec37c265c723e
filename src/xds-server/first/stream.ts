// One ADS stream: leads its client through the planned states, one after the other, and knows which revision it has in full.
import { type Clock, TYPE_URL, type XdsResources } from "../../kit/index.ts";
import type { Channel, ChannelStatus, TypeRequest } from "./channel.ts";
import { createDeltaChannel } from "./delta-channel.ts";
import { planSteps } from "./plan.ts";
import { diffSets, EMPTY_SET, groupByParent, parentOf } from "./resource-sets.ts";
import { createSotwChannel } from "./sotw-channel.ts";

export type Protocol = "delta" | "sotw";

export interface AdsStream {
  /** What the client shall have from `revision` on. The object it has already is silent. */
  set(resources: XdsResources, revision: number): void;
  /** The newest revision the client has acknowledged in full. */
  ackedRevision(): number;
  types(): readonly ChannelStatus[];
  onRequest(typeUrl: string, request: TypeRequest): void;
  close(): void;
}

export interface AdsStreamOptions {
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly send: (bytes: Buffer) => void;
  /** Something was acknowledged or refused. */
  readonly onAnswer: () => void;
}

/** A client that does not ask for the endpoints of a new cluster does not hold up its routes longer than this. */
const ENDPOINT_WAIT_MS = 3000;

export function createAdsStream(options: AdsStreamOptions): AdsStream {
  const { clock } = options;
  const channels = new Map<string, Channel>();
  /** Route configurations that the client has, and whose virtual hosts it keeps. */
  const parents = new Set<string>();
  let position: XdsResources | undefined;
  let before: XdsResources | undefined;
  let plan: readonly XdsResources[] = [];
  let goalRevision = 0;
  let acked = 0;
  let nonce = 0;
  let cancelWait: (() => void) | undefined;
  let waitedEnough = false;

  const nextNonce = (): string => `${++nonce}`;

  function channelOf(typeUrl: string): Channel {
    let channel = channels.get(typeUrl);
    if (channel === undefined) {
      const common = { typeUrl, send: options.send, nextNonce, wall: () => clock.wall() };
      const mayGo = (name: string): boolean => channels.get(TYPE_URL.route)?.has(parentOf(name)) === true;
      channel =
        options.protocol === "sotw"
          ? createSotwChannel(common)
          : createDeltaChannel(typeUrl === TYPE_URL.virtualHost ? { ...common, mayGo } : common);
      channels.set(typeUrl, channel);
      channel.setTarget(position?.byType.get(typeUrl));
    }
    return channel;
  }

  /** Virtual hosts of a route configuration go out after it was acknowledged; a client drops those that come before. */
  function followRoutes(): void {
    const routes = channels.get(TYPE_URL.route);
    const hosts = channels.get(TYPE_URL.virtualHost);
    if (routes === undefined || hosts === undefined || position === undefined) return;
    const fresh: string[] = [];
    const byParent = groupByParent(position.byType.get(TYPE_URL.virtualHost) ?? EMPTY_SET);
    for (const name of position.byType.get(TYPE_URL.route)?.keys() ?? []) {
      if (!routes.has(name) || parents.has(name)) continue;
      parents.add(name);
      fresh.push(...(byParent.get(name) ?? []));
    }
    hosts.offerAgain(fresh);
  }

  /** The endpoints of clusters that this state adds have been asked for and sent. */
  function endpointsArrived(): boolean {
    if (waitedEnough || position === undefined || channels.get(TYPE_URL.cluster)?.isWildcard() !== true) return true;
    const old = before?.byType.get(TYPE_URL.endpoint) ?? EMPTY_SET;
    const endpoints = channels.get(TYPE_URL.endpoint);
    const added = diffSets(old, position.byType.get(TYPE_URL.endpoint) ?? EMPTY_SET).changed.filter((r) => !old.has(r.name));
    if (added.every((r) => endpoints?.has(r.name) === true)) return true;
    cancelWait ??= clock.after(ENDPOINT_WAIT_MS, () => {
      waitedEnough = true;
      advance();
    });
    return false;
  }

  function enter(state: XdsResources): void {
    before = position;
    position = state;
    waitedEnough = false;
    cancelWait?.();
    cancelWait = undefined;
    const last = plan.length === 0;
    for (const [typeUrl, channel] of channels) {
      channel.allowRemovals(last);
      channel.setTarget(state.byType.get(typeUrl));
    }
    followRoutes();
  }

  function advance(): void {
    while (plan.length > 0 && (position === undefined || stepDone())) {
      const [next, ...rest] = plan;
      plan = rest;
      if (next !== undefined) enter(next);
    }
    if (plan.length === 0 && acked < goalRevision && [...channels.values()].every((c) => c.inSync())) acked = goalRevision;
  }

  function stepDone(): boolean {
    return [...channels.values()].every((c) => c.isQuiet()) && endpointsArrived();
  }

  return {
    set(resources, revision) {
      goalRevision = Math.max(goalRevision, revision);
      plan = planSteps(position, resources);
      // What the client is on its way to may be left at once; each state holds what the one before needs.
      const [next, ...rest] = plan;
      plan = rest;
      if (next !== undefined) enter(next);
      advance();
      options.onAnswer();
    },
    ackedRevision: () => acked,
    types: () => [...channels.values()].map((c) => c.status()),
    onRequest(typeUrl, request) {
      const opening = !channels.has(typeUrl);
      const channel = channelOf(typeUrl);
      if (opening && typeUrl === TYPE_URL.route) for (const name of Object.keys(request.initialVersions)) parents.add(name);
      if (typeUrl === TYPE_URL.route) for (const name of request.unsubscribe) parents.delete(name);
      channel.onRequest(request);
      if (typeUrl === TYPE_URL.route) followRoutes();
      // A client that connects again waits for the endpoints of clusters it was sent again (Istio: WarmingDependencies).
      advance();
      options.onAnswer();
    },
    close() {
      cancelWait?.();
      channels.clear();
    },
  };
}
