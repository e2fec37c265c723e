// The spec types of Istio's kinds, as published (types only; the validation is ours).
import type { IDestinationRule } from "@kubernetes-models/istio/networking.istio.io/v1/DestinationRule";
import type { IEnvoyFilter } from "@kubernetes-models/istio/networking.istio.io/v1alpha3/EnvoyFilter";
import type { IGateway } from "@kubernetes-models/istio/networking.istio.io/v1/Gateway";
import type { IServiceEntry } from "@kubernetes-models/istio/networking.istio.io/v1/ServiceEntry";
import type { ISidecar } from "@kubernetes-models/istio/networking.istio.io/v1/Sidecar";
import type { IVirtualService } from "@kubernetes-models/istio/networking.istio.io/v1/VirtualService";
import type { IWorkloadEntry } from "@kubernetes-models/istio/networking.istio.io/v1/WorkloadEntry";
import type { IWorkloadGroup } from "@kubernetes-models/istio/networking.istio.io/v1/WorkloadGroup";

export type VirtualServiceSpec = NonNullable<IVirtualService["spec"]>;
export type DestinationRuleSpec = NonNullable<IDestinationRule["spec"]>;
export type GatewaySpec = NonNullable<IGateway["spec"]>;
export type ServiceEntrySpec = NonNullable<IServiceEntry["spec"]>;
export type EnvoyFilterSpec = NonNullable<IEnvoyFilter["spec"]>;
export type SidecarSpec = NonNullable<ISidecar["spec"]>;
export type WorkloadEntrySpec = NonNullable<IWorkloadEntry["spec"]>;
export type WorkloadGroupSpec = NonNullable<IWorkloadGroup["spec"]>;

export interface ServicePortSpec {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly appProtocol?: string;
  readonly nodePort?: number;
}

export interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly ServicePortSpec[];
  /** "None" = headless; the store assigns one when absent. */
  readonly clusterIP?: string;
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly externalName?: string;
  readonly publishNotReadyAddresses?: boolean;
  readonly trafficDistribution?: string;
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
}

export interface HttpGetAction {
  readonly path?: string;
  readonly port: number | string;
  readonly host?: string;
  readonly scheme?: "HTTP" | "HTTPS";
  readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[];
}

/** Kubernetes defaults are filled in by the parser (period 10, timeout 1, success 1, failure 3). All times in seconds. */
export interface Probe {
  readonly httpGet?: HttpGetAction;
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string };
  readonly exec?: { readonly command: readonly string[] };
  readonly grpc?: { readonly port: number; readonly service?: string };
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly configMapKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    readonly secretKeyRef?: { readonly name: string; readonly key: string; readonly optional?: boolean };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly ports?: readonly ContainerPort[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly {
    readonly prefix?: string;
    readonly configMapRef?: { readonly name: string; readonly optional?: boolean };
    readonly secretRef?: { readonly name: string; readonly optional?: boolean };
  }[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly serviceAccountName?: string;
  readonly restartPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
}

export interface PodTemplateSpec {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

export interface DeploymentSpec {
  /** 1 when absent. */
  readonly replicas: number;
  /** Taken from the template's labels when absent (beta APIs). */
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly template: PodTemplateSpec;
}

/** Where one container port of a local pod really listens: the application, and the sidecar's inbound listener in front of it. */
export interface PodPortStatus {
  readonly name?: string;
  readonly containerPort: number;
  /** The application's port on `podIP`. */
  readonly appPort: number;
  /** What callers are sent to: the sidecar's inbound port, or `appPort` without a sidecar. */
  readonly meshPort: number;
}

/** Status of a Pod as src/runtime publishes it. */
export interface PodStatus {
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly podIP: string;
  readonly ready: boolean;
  readonly sidecar: boolean;
  /** The sidecar's explicit HTTP proxy port, if there is a sidecar. */
  readonly httpProxyPort?: number;
  readonly ports: readonly PodPortStatus[];
  readonly restarts?: number;
  readonly message?: string;
}
