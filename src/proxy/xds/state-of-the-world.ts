// The xDS protocol that sends all resources of a type with every change.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#basic-protocol-overview
import { decodeWire, peekText } from "../wire/decode-wire.ts";
import { encodeWire } from "../wire/encode-wire.ts";
import { Reader } from "../wire/reader.ts";
import type { AnyValue, Values } from "../wire/values.ts";
import { errorDetail, type Variant } from "./protocol.ts";
import { RESOURCE_TYPES, type ResourceType, TYPES, typeOfUrl } from "./resource-types.ts";

const DISCOVERY = "envoy.service.discovery.v3";

interface TypeState {
  names: ReadonlySet<string>;
  /** Version last accepted as a whole, nonce last seen. */
  version: string;
  nonce: string;
}

export const STATE_OF_THE_WORLD: Variant = {
  method: `/${DISCOVERY}.AggregatedDiscoveryService/StreamAggregatedResources`,
  secretMethod: "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
  converse(subscriber, send) {
    const states = new Map<ResourceType, TypeState>();
    let first = true;

    function request(type: ResourceType, state: TypeState, error?: Values): void {
      const fields = new Map<string, unknown>([
        ["version_info", state.version],
        ["resource_names", [...state.names]],
        ["type_url", TYPES[type].url],
        ["response_nonce", state.nonce],
        ["error_detail", error],
      ]);
      if (first) fields.set("node", subscriber.node);
      first = false;
      send(encodeWire(`${DISCOVERY}.DiscoveryRequest`, fields));
    }

    function subscribe(type: ResourceType): void {
      // Virtual hosts of their own exist in the incremental protocol only.
      if (type === "virtualHost") return;
      const names = subscriber.names(type);
      const state = states.get(type);
      // An empty list of names would ask for everything.
      if (names === undefined || (names.size === 0 && !TYPES[type].wildcard)) return;
      if (state === undefined) {
        const made: TypeState = { names: new Set(names), version: "", nonce: "" };
        states.set(type, made);
        request(type, made);
      } else if (state.names.size !== names.size || [...names].some((name) => !state.names.has(name))) {
        state.names = new Set(names);
        request(type, state);
      }
    }

    const subscribeAll = (): void => RESOURCE_TYPES.forEach(subscribe);

    return {
      start: subscribeAll,
      interestsChanged: subscribeAll,
      onMessage(bytes) {
        const response = new Reader(decodeWire(`${DISCOVERY}.DiscoveryResponse`, bytes));
        const type = typeOfUrl(response.text("type_url"));
        const state = type === undefined ? undefined : states.get(type);
        const identifier = response.message("control_plane")?.text("identifier");
        if (identifier !== undefined) subscriber.identified(identifier);
        if (type === undefined || state === undefined) return;
        const version = response.text("version_info");
        const resources = (response.values.get("resources") as readonly AnyValue[] | undefined) ?? [];
        const updates = resources.map((any) => {
          const bytes = "bytes" in any ? any.bytes : new Uint8Array(0);
          // The name is field 1 in all these messages.
          return { name: peekText(bytes, 1), version, bytes };
        });
        const applied = subscriber.apply(type, { updates, removed: [], whole: TYPES[type].wildcard });
        state.nonce = response.text("nonce");
        const error = errorDetail(type, applied);
        if (error === undefined) state.version = version;
        // What the response changed about our wishes goes out with its own answer.
        const names = subscriber.names(type);
        if (names !== undefined) state.names = new Set(names);
        request(type, state, error);
        subscribeAll();
      },
    };
  },
};
