// The whole mesh at one moment, resolved and frozen. `config` keeps its identity while only endpoints change, and every part of it while it is unchanged.
import type { SecretIndex } from "./credential.ts";
import type { DestinationRule } from "./destination-rule.ts";
import type { EnvoyFilter } from "./envoy-filter.ts";
import type { Gateway } from "./gateway.ts";
import type { MeshSettings } from "./mesh-settings.ts";
import type { EndpointIndex, Service } from "./service.ts";
import type { Sidecar } from "./sidecar.ts";
import type { VirtualService } from "./virtual-service.ts";

export interface MeshConfiguration {
  readonly settings: MeshSettings;
  /** Oldest first; one per host and namespace. */
  readonly services: readonly Service[];
  /** Oldest first, delegates merged into their roots. */
  readonly virtualServices: readonly VirtualService[];
  /** As written, one per resource, oldest first; merging depends on the client. */
  readonly destinationRules: readonly DestinationRule[];
  readonly gateways: readonly Gateway[];
  readonly sidecars: readonly Sidecar[];
  readonly envoyFilters: readonly EnvoyFilter[];
  readonly secrets: SecretIndex;
}

export interface MeshSnapshot {
  readonly config: MeshConfiguration;
  readonly endpoints: EndpointIndex;
}
