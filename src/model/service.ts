// Services as the mesh sees them, whether they come from Kubernetes or from a ServiceEntry, and their endpoints (a cell of its own).

/** Istio's protocol names (pkg/config/protocol). "UNSUPPORTED" means: to be detected (sniffed). */
export type Protocol =
  | "HTTP"
  | "HTTP2"
  | "HTTP_PROXY"
  | "HTTPS"
  | "GRPC"
  | "GRPC-WEB"
  | "TCP"
  | "TLS"
  | "UDP"
  | "MONGO"
  | "MYSQL"
  | "REDIS"
  | "UNSUPPORTED";

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  readonly protocol: Protocol;
  /** Only for display and gateway port translation; endpoints carry their own resolved port. */
  readonly targetPort?: number;
  /** Of resolution NONE: the port that connections go on to, whatever port they came for. */
  readonly passthroughPort?: number;
}

/** A service as one address of one resource writes it down. */
export interface ServicePart {
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePort[];
}

/** STATIC = endpoints pushed by EDS; NONE = original destination (headless, resolution NONE); ALIAS = another name of a service (ExternalName). */
export type Resolution = "STATIC" | "NONE" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS" | "ALIAS";

export interface Service {
  /** Lower-case full name, e.g. `demo4.test1.svc.cluster.local`, or the ServiceEntry's host (may be a wildcard). */
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: "Kubernetes" | "External";
  /** Milliseconds; ties are broken by namespace and name. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  /** VIPs and CIDRs; empty means none (0.0.0.0 in Istio). */
  readonly addresses: readonly string[];
  /**
   * Where several ServiceEntries have the host, or one has several addresses, in their order: Istio keeps these as services of their own, so
   * listeners are opened for each, and a route table takes the last that has its port. Clusters and endpoints are those of the whole.
   */
  readonly parts?: readonly ServicePart[];
  readonly resolution: Resolution;
  /** ALIAS: the host that is meant, however many aliases are between; undefined = they go round in a circle. */
  readonly aliasOf?: string;
  /** Hosts of the aliases that mean this service. */
  readonly aliases?: readonly string[];
  readonly meshExternal: boolean;
  readonly headless: boolean;
  /** `*`, namespaces, or `~`, already resolved (`.` → own namespace). */
  readonly exportTo: readonly string[];
  readonly subjectAltNames: readonly string[];
  readonly publishNotReadyAddresses: boolean;
  /** Callers prefer endpoints of their own zone (then region), or of their own node; undefined: any. */
  readonly trafficDistribution?: "zone" | "node";
  /** Labels of the workloads behind it; undefined: endpoints are written down elsewhere. */
  readonly selector?: Readonly<Record<string, string>>;
}

export interface Endpoint {
  /** IP address, DNS name (DNS resolutions) or unix path. */
  readonly address: string;
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  /** 1 when unset. */
  readonly weight: number;
  readonly locality: Locality;
  readonly ready: boolean;
  readonly network: string;
  readonly serviceAccount: string;
  /** `namespace/name` of the workload. */
  readonly workload: string;
  /** What it is a copy of: a Deployment, a WorkloadGroup; "" = not known. */
  readonly workloadName: string;
  /** Its sidecar takes the mesh's own TLS (label `security.istio.io/tlsMode: istio`, and no PeerAuthentication says DISABLE). */
  readonly mtls: boolean;
}

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

/** The endpoints of one service by service port number. The object's identity changes only when an endpoint does. */
export interface ServiceEndpoints {
  readonly byPort: ReadonlyMap<number, readonly Endpoint[]>;
}

/** All endpoints of the mesh by `serviceKey`. */
export type EndpointIndex = ReadonlyMap<string, ServiceEndpoints>;

export function partsOf(service: Service): readonly ServicePart[] {
  return service.parts ?? [{ addresses: service.addresses, ports: service.ports }];
}

/** Two services of one host may live in two namespaces. */
export function serviceKey(service: Pick<Service, "hostname" | "namespace">): string {
  return `${service.namespace}/${service.hostname}`;
}
