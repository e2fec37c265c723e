// What one proxy may see: the whole input of `generate`, and therefore its cache key. Frozen; parts keep their identity while they do not change.
import type { Credential } from "./credential.ts";
import type { ConnectionPool, DestinationRule } from "./destination-rule.ts";
import type { EnvoyPatch } from "./envoy-filter.ts";
import type { GatewayListenerView } from "./gateway.ts";
import type { MeshSettings, OutboundPolicy } from "./mesh-settings.ts";
import type { MtlsMode } from "./peer-authentication.ts";
import type { ProxyScope } from "./proxy.ts";
import type { EndpointIndex, Protocol, Service } from "./service.ts";
import type { ServerTls } from "./tls.ts";
import type { VirtualService } from "./virtual-service.ts";

/** A service together with the DestinationRule that this proxy looks it up with (undefined: none). Same pair, same object. */
export interface ServiceView {
  readonly service: Service;
  readonly destinationRule: DestinationRule | undefined;
  /** undefined: all ports; else only these are usable (a service imported through a VirtualService's destination). */
  readonly ports: readonly number[] | undefined;
  /** Callers use the mesh's own TLS wherever an endpoint takes it, unless the rule says otherwise. */
  readonly autoMtls: boolean;
}

/** One outbound listener of a sidecar (Istio's IstioEgressListener). Without Sidecar resources there is exactly one, without a port. */
export interface EgressListenerView {
  /** undefined: the catch-all listener that serves every service port not taken by another one. */
  readonly port: { readonly number: number; readonly protocol: Protocol; readonly name: string } | undefined;
  readonly bind: string;
  readonly captureMode: "DEFAULT" | "IPTABLES" | "NONE";
  /** Hosts with routes here, oldest first. */
  readonly services: readonly ServiceView[];
  /** VirtualServices on gateway `mesh` that apply here, in Istio's order of precedence (the first that covers a host wins). */
  readonly virtualServices: readonly VirtualService[];
}

/** How a sidecar's own workload is reached. */
export interface InboundView {
  readonly ports: readonly InboundPortView[];
  /** Mutual TLS of captured connections to any other port (0), and to single ports that only a PeerAuthentication names. */
  readonly undeclared: readonly { readonly port: number; readonly mtls: MtlsMode }[];
  /** Where the proxy asks who its like are (metadata ENABLE_SELF_DISCOVERY). */
  readonly peers?: PeersView | undefined;
}

/** The endpoints of a proxy's own service that are copies of its workload: Istio's cluster `local_cluster`, by which zones are weighed. */
export interface PeersView {
  /** `serviceKey`; "" = the proxy is no endpoint of any service. */
  readonly service: string;
  readonly port: number;
  readonly workloadName: string;
  readonly region: string;
  /** Labels in which they are alike: two versions of a Deployment are two workloads. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One port of the proxy's own workload that callers reach through it. */
export interface InboundPortView {
  /** Where the sidecar listens: the workload's port (captured), or the sidecar's own port (INTERCEPTION_MODE NONE). */
  readonly listenPort: number;
  /** "" = the default bind. */
  readonly bind: string;
  /** A socket of its own, instead of captured connections. */
  readonly bound: boolean;
  /** What is inside `tls`, where there is one. */
  readonly protocol: Protocol;
  /** Which TLS of the mesh callers must or may use. */
  readonly mtls: MtlsMode;
  /** TLS of the Sidecar's own; only beside `mtls` DISABLE. */
  readonly tls: ServerTls | undefined;
  /** Where the application listens; undefined = original destination. */
  readonly target: { readonly address: string; readonly port: number } | undefined;
  /** Limits of the connections to the application: of the Sidecar, else of the service's DestinationRule. */
  readonly pool: ConnectionPool | undefined;
  /** The oldest Service with this target port; names the inbound virtual host. */
  readonly service: InboundServiceView | undefined;
}

export interface InboundServiceView {
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: "Kubernetes" | "External";
  readonly port: number;
  readonly portName: string;
}

export interface ConfigView {
  /** `labels` holds only those that some rule's sourceLabels ask for, so that proxies which differ in others share the view. */
  readonly scope: ProxyScope;
  readonly mesh: MeshSettings;
  /** Overrides the mesh by Sidecar.outboundTrafficPolicy. */
  readonly outboundTrafficPolicy: OutboundPolicy;
  /** REGISTRY_ONLY's or ALLOW_ANY's egressProxy of a Sidecar. */
  readonly egressProxy: { readonly host: string; readonly subset: string; readonly port: number | undefined } | undefined;
  /** Sidecars; empty for routers. */
  readonly egress: readonly EgressListenerView[];
  /** Routers; empty for sidecars. */
  readonly gateways: readonly GatewayListenerView[];
  /** Every service this proxy has clusters for. */
  readonly clusters: readonly ServiceView[];
  /** Clusters by host name, for destinations. When several namespaces have the host, the one Istio picks. */
  readonly servicesByHost: ReadonlyMap<string, ServiceView>;
  /** EnvoyFilter patches that meet it, in order: applied after everything else. */
  readonly envoyPatches: readonly EnvoyPatch[];
  /** Certificates that its gateways and rules name and that it may have. */
  readonly credentials: readonly Credential[];
}

/** A proxy's view: the shared part (equal for equal scopes), its own inbound ports, and the endpoints (a cell of their own). */
export interface ProxyView {
  readonly config: ConfigView;
  readonly inbound: InboundView;
  readonly endpoints: EndpointIndex;
}
