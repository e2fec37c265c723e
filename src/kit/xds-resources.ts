// What the ADS server serves: encoded resources by type URL. Sets and resources are immutable and keep their identity while nothing
// changes, so they are compared by identity and their bytes are shared by every stream. The server knows type URLs, not meshes.
export interface XdsResource {
  readonly name: string;
  /** Content hash of `bytes`. */
  readonly version: string;
  /** The encoded message, without the Any around it. */
  readonly bytes: Uint8Array;
  /** Names of resources (by type URL) that must be there and acknowledged before this one is sent: a route's clusters. */
  readonly references?: readonly { readonly typeUrl: string; readonly name: string }[];
}

export type ResourceSet = ReadonlyMap<string, XdsResource>;

/** One proxy's whole config. Equal proxies get the same object. */
export interface XdsResources {
  readonly byType: ReadonlyMap<string, ResourceSet>;
}

export const TYPE_URL = {
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  route: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  virtualHost: "type.googleapis.com/envoy.config.route.v3.VirtualHost",
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoint: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  extensionConfig: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
  secret: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
} as const;
