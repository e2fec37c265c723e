// The resource types the proxy takes: their messages, and how each is decoded and named.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { TYPE_URL } from "../../kit/index.ts";
import type { ClusterConfig, EndpointSet, Listener, Secret, VirtualHost } from "../config/index.ts";
import { decodeWire } from "../wire/decode-wire.ts";
import { Reader } from "../wire/reader.ts";
import { typeNameOf } from "../wire/values.ts";
import { decodeCluster } from "./decode/cluster.ts";
import { decodeEndpoints } from "./decode/endpoints.ts";
import { decodeExtensionConfig } from "./decode/http-filters/index.ts";
import { decodeListener } from "./decode/listener.ts";
import { decodeSecret } from "./decode/tls.ts";
import { decodeRouteConfig, decodeVirtualHost, type RouteConfig } from "./decode/route-config.ts";
import type { ExtensionConfig } from "./discovered-filters.ts";

export interface Decoded {
  readonly listener: Listener;
  readonly cluster: ClusterConfig;
  readonly route: RouteConfig;
  readonly virtualHost: VirtualHost;
  readonly endpoint: EndpointSet;
  readonly secret: Secret;
  readonly extensionConfig: ExtensionConfig;
}

export type ResourceType = keyof Decoded;

export interface TypeInfo<T extends ResourceType> {
  readonly url: string;
  /** Asked for as a whole, not by name. */
  readonly wildcard: boolean;
  readonly decode: (reader: Reader) => Decoded[T];
  readonly nameOf: (value: Decoded[T]) => string;
}

/** In the order in which a change must be taken up: make before break. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  "cluster",
  "endpoint",
  "listener",
  "secret",
  "extensionConfig",
  "route",
  "virtualHost",
];

export const TYPES: { readonly [T in ResourceType]: TypeInfo<T> } = {
  cluster: { url: TYPE_URL.cluster, wildcard: true, decode: decodeCluster, nameOf: (value) => value.name },
  endpoint: { url: TYPE_URL.endpoint, wildcard: false, decode: (reader) => decodeEndpoints(reader), nameOf: (value) => value.clusterName },
  listener: { url: TYPE_URL.listener, wildcard: true, decode: decodeListener, nameOf: (value) => value.name },
  route: { url: TYPE_URL.route, wildcard: false, decode: decodeRouteConfig, nameOf: (value) => value.parts.name },
  secret: { url: TYPE_URL.secret, wildcard: false, decode: decodeSecret, nameOf: (value) => value.name },
  extensionConfig: { url: TYPE_URL.extensionConfig, wildcard: false, decode: decodeExtensionConfig, nameOf: (value) => value.name },
  virtualHost: { url: TYPE_URL.virtualHost, wildcard: true, decode: decodeVirtualHost, nameOf: (value) => value.name },
};

export function typeOfUrl(url: string): ResourceType | undefined {
  return RESOURCE_TYPES.find((type) => TYPES[type].url === url);
}

/** Throws a Refusal. */
export function decodeResource<T extends ResourceType>(type: T, bytes: Uint8Array): Decoded[T] {
  const { url, decode } = TYPES[type];
  return decode(new Reader(decodeWire(typeNameOf(url), bytes)));
}
