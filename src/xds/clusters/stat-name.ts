// What a cluster's statistics are called where MeshConfig gives a pattern (inboundClusterStatName, outboundClusterStatName):
// https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ ; Istio networking/telemetry BuildStatPrefix.
export interface StatSubject {
  readonly hostname: string;
  readonly name: string;
  readonly namespace: string;
  readonly registry: "Kubernetes" | "External";
  readonly subset: string;
  readonly port: number;
  readonly portName: string;
  readonly targetPort: number;
}

/** The semicolon keeps Envoy from taking dots in it apart. `pattern` "" = the cluster's own name. */
export function statName(pattern: string, cluster: string, subject: StatSubject | undefined): string {
  if (pattern === "" || subject === undefined) return `${cluster};`;
  const kubernetes = subject.registry === "Kubernetes";
  const values: readonly (readonly [placeholder: string, value: string])[] = [
    ["%SERVICE%", kubernetes ? `${subject.name}.${subject.namespace}` : subject.hostname],
    ["%SERVICE_NAME%", kubernetes ? subject.name : subject.hostname],
    ["%SERVICE_FQDN%", subject.hostname],
    ["%SUBSET_NAME%", subject.subset],
    ["%TARGET_PORT%", String(subject.targetPort)],
    ["%SERVICE_PORT%", String(subject.port)],
    ["%SERVICE_PORT_NAME%", subject.portName],
  ];
  return `${values.reduce((text, [placeholder, value]) => text.replaceAll(placeholder, value), pattern)};`;
}
