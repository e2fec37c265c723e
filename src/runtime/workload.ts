// A stored Deployment as the runtime runs it, with Kubernetes' defaults filled in (the control plane has validated it before).
import type { StoredResource } from "../admin-api/index.ts";
import type { Container, PodSpec, Probe } from "../resources/index.ts";
import { templateHash } from "./pod-name.ts";

export interface PodTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
  readonly initContainers: readonly Container[];
  readonly serviceAccount: string;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly replicas: number;
  /** `Recreate` stops all old pods before the first new one starts. */
  readonly strategy: "RollingUpdate" | "Recreate";
  readonly hash: string;
  readonly template: PodTemplate;
}

type Raw<T> = { readonly [K in keyof T]?: T[K] | null };

interface RawDeployment {
  readonly replicas?: number | null;
  readonly strategy?: { readonly type?: string } | null;
  readonly template?: {
    readonly metadata?: Raw<{ labels: Record<string, string>; annotations: Record<string, string> }> | null;
    readonly spec?: Raw<PodSpec> | null;
  } | null;
}

export function toWorkload(deployment: StoredResource): Workload {
  const spec = (deployment.spec ?? {}) as RawDeployment;
  const pod = spec.template?.spec ?? {};
  return {
    name: deployment.metadata.name,
    namespace: deployment.metadata.namespace,
    replicas: spec.replicas ?? 1,
    strategy: spec.strategy?.type === "Recreate" ? "Recreate" : "RollingUpdate",
    hash: templateHash(spec.template ?? {}),
    template: {
      labels: spec.template?.metadata?.labels ?? {},
      annotations: spec.template?.metadata?.annotations ?? {},
      containers: (pod.containers ?? []).map(toContainer),
      initContainers: (pod.initContainers ?? []).map(toContainer),
      serviceAccount: pod.serviceAccountName ?? "default",
      graceMs: (pod.terminationGracePeriodSeconds ?? 30) * 1000,
    },
  };
}

function toContainer(container: Container): Container {
  const { livenessProbe, readinessProbe, startupProbe, ...rest } = container;
  return {
    ...rest,
    ...(livenessProbe === undefined || livenessProbe === null ? {} : { livenessProbe: toProbe(livenessProbe) }),
    ...(readinessProbe === undefined || readinessProbe === null ? {} : { readinessProbe: toProbe(readinessProbe) }),
    ...(startupProbe === undefined || startupProbe === null ? {} : { startupProbe: toProbe(startupProbe) }),
  };
}

function toProbe(probe: Raw<Probe>): Probe {
  const { httpGet, tcpSocket, exec, grpc } = probe;
  return {
    ...(httpGet ? { httpGet } : {}),
    ...(tcpSocket ? { tcpSocket } : {}),
    ...(exec ? { exec } : {}),
    ...(grpc ? { grpc } : {}),
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    periodSeconds: probe.periodSeconds ?? 10,
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
  };
}
