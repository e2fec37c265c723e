// What a request of either protocol changes in its type's state: answers, subscriptions, and what a client brings from an earlier stream.
// Delta and state of the world: Envoy, "xDS REST and gRPC protocol"; the order of the questions is Istio's ShouldRespond (pkg/xds/server.go).
import { TYPE_URL } from "../kit/index.ts";
import type { AdsStream } from "./ads-stream.ts";
import type { DeltaRequest, SotwRequest } from "./discovery-request.ts";
import { hashSet } from "./set-diff.ts";
import { EMPTY_SET, NOTHING, visiblePart, wants } from "./subscription.ts";
import { changeSubscription, forgetNames, toKnownSet, type TypeState } from "./type-state.ts";

/** A first request without names asks for all of these types. Envoy asks so for virtual hosts too. */
const DELTA_WILDCARD_TYPES: ReadonlySet<string> = new Set([TYPE_URL.listener, TYPE_URL.cluster, TYPE_URL.virtualHost]);
const SOTW_WILDCARD_TYPES: ReadonlySet<string> = new Set([TYPE_URL.listener, TYPE_URL.cluster]);

export function acceptDeltaRequest(stream: AdsStream, request: DeltaRequest): void {
  const state = stream.stateOf(request.typeUrl);
  if (state.heard) {
    if (request.nonce !== "") stream.answer(state, request.nonce, request.error);
    resubscribe(stream, state, request);
  } else openDelta(stream, state, request);
  stream.pump();
}

function openDelta(stream: AdsStream, state: TypeState, request: DeltaRequest): void {
  const { subscriptions } = stream.shared;
  const { subscribe } = request;
  const all = subscribe.length === 0 && DELTA_WILDCARD_TYPES.has(state.typeUrl);
  state.heard = true;
  state.subscription = subscriptions.change(NOTHING, { add: all ? ["*"] : subscribe, remove: request.unsubscribe });
  const known = Object.entries(request.initialVersions).filter(([name]) => wants(state.subscription, name));
  state.sent = toKnownSet(known, visiblePart(stream.targetOf(state.typeUrl), state.subscription));
  state.acked = state.sent;
  stream.opened(known.length > 0);
  state.owed = state.subscription.wildcard && known.length === 0;
  state.asked = new Set(subscribe.filter((name) => name !== "*" && !state.sent.has(name)));
}

function resubscribe(stream: AdsStream, state: TypeState, { subscribe, unsubscribe }: DeltaRequest): void {
  if (subscribe.length === 0 && unsubscribe.length === 0) return;
  const { subscriptions, sets } = stream.shared;
  const before = state.subscription;
  changeSubscription(state, subscriptions.change(before, { add: subscribe, remove: unsubscribe }));
  if (!before.wildcard && state.subscription.wildcard) state.owed = true;
  // Whoever asks again gets it again.
  const names = subscribe.filter((name) => name !== "*");
  forgetNames(state, names, sets);
  if (names.length > 0) state.asked = new Set([...(state.asked ?? []), ...names].filter((name) => wants(state.subscription, name)));
  if (state.typeUrl === TYPE_URL.route && unsubscribe.length > 0) stream.dropHostsOf(unsubscribe);
}

export function acceptSotwRequest(stream: AdsStream, request: SotwRequest): void {
  const state = stream.stateOf(request.typeUrl);
  const first = !state.heard || request.nonce === "";
  if (!first) {
    // A request that crossed a newer response: the client's answer to that one will say the same.
    if (request.nonce !== state.lastNonce) return;
    stream.answer(state, request.nonce, request.error);
  }
  const before = state.subscription.names;
  const names = request.names.filter((name) => name !== "*");
  if (request.names.length > 0) state.named = true;
  const wildcard = request.names.includes("*") || (!state.named && SOTW_WILDCARD_TYPES.has(state.typeUrl));
  const subscription = stream.shared.subscriptions.of(wildcard, new Set(names));
  if (first) openSotw(stream, state, { ...request, subscription });
  else {
    changeSubscription(state, subscription);
    if (names.some((name) => !before.has(name))) state.owed = true;
  }
  stream.pump();
}

function openSotw(
  stream: AdsStream,
  state: TypeState,
  request: { readonly version: string; readonly subscription: TypeState["subscription"] },
): void {
  const again = state.heard;
  const set = visiblePart(stream.targetOf(state.typeUrl), request.subscription);
  // Its version is the hash of what it has: when that is what it shall have, there is nothing to say.
  const current = !again && request.version !== "" && request.version === hashSet(set);
  state.heard = true;
  state.subscription = request.subscription;
  state.inFlight = undefined;
  state.sent = current ? set : EMPTY_SET;
  state.acked = state.sent;
  state.owed = !current;
  stream.opened(request.version !== "");
}
