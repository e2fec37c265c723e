// The incremental xDS protocol: only what changed travels; a new stream says which versions are there already.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
import { decodeWire } from "../wire/decode-wire.ts";
import { encodeWire } from "../wire/encode-wire.ts";
import { Reader } from "../wire/reader.ts";
import type { AnyValue, Values } from "../wire/values.ts";
import { errorDetail, type Variant } from "./protocol.ts";
import { RESOURCE_TYPES, type ResourceType, TYPES, typeOfUrl } from "./resource-types.ts";

const DISCOVERY = "envoy.service.discovery.v3";

export const DELTA: Variant = {
  method: `/${DISCOVERY}.AggregatedDiscoveryService/DeltaAggregatedResources`,
  secretMethod: "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
  converse(subscriber, send) {
    const asked = new Map<ResourceType, ReadonlySet<string>>();
    let first = true;

    function request(fields: Values): void {
      if (first) fields.set("node", subscriber.node);
      first = false;
      send(encodeWire(`${DISCOVERY}.DeltaDiscoveryRequest`, fields));
    }

    function subscribe(type: ResourceType): void {
      const names = subscriber.names(type);
      const before = asked.get(type);
      if (names === undefined) return;
      const added = before === undefined ? [...names] : [...names].filter((name) => !before.has(name));
      const dropped = before === undefined ? [] : [...before].filter((name) => !names.has(name));
      if (before !== undefined && added.length === 0 && dropped.length === 0) return;
      // Nothing by name yet: an empty first request would ask for everything.
      if (before === undefined && names.size === 0 && !TYPES[type].wildcard) return;
      asked.set(type, new Set(names));
      const fields: Values = new Map([["type_url", TYPES[type].url]] as [string, unknown][]);
      if (added.length > 0) fields.set("resource_names_subscribe", added);
      if (dropped.length > 0) fields.set("resource_names_unsubscribe", dropped);
      if (before === undefined) {
        const versions = subscriber.versions(type);
        if (versions.size > 0) fields.set("initial_resource_versions", versions);
      }
      request(fields);
    }

    const subscribeAll = (): void => RESOURCE_TYPES.forEach(subscribe);

    return {
      start: subscribeAll,
      interestsChanged: subscribeAll,
      onMessage(bytes) {
        const response = new Reader(decodeWire(`${DISCOVERY}.DeltaDiscoveryResponse`, bytes));
        const type = typeOfUrl(response.text("type_url"));
        const identifier = response.message("control_plane")?.text("identifier");
        if (identifier !== undefined) subscriber.identified(identifier);
        if (type === undefined) return;
        const updates = response.messages("resources").map((resource) => {
          const any = resource.values.get("resource") as AnyValue | undefined;
          return {
            name: resource.text("name"),
            version: resource.text("version"),
            bytes: any !== undefined && "bytes" in any ? any.bytes : new Uint8Array(0),
          };
        });
        const applied = subscriber.apply(type, { updates, removed: response.texts("removed_resources"), whole: false });
        request(
          new Map<string, unknown>([
            ["type_url", TYPES[type].url],
            ["response_nonce", response.text("nonce")],
            ["error_detail", errorDetail(type, applied)],
          ]),
        );
        subscribeAll();
      },
    };
  },
};
