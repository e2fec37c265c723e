// Fields of MeshConfig and its ProxyConfig that have no effect: why, and what to do instead.

/** What Serin has in another way, or has no use for: it will stay so. */
const NEVER: Readonly<Record<string, string>> = {
  configSources: "Serin reads its folder, Kubernetes' objects by file, and its own API.",
  certificates: "Istio has dropped it.",
  ingressClass: "Serin reads no Ingress: write a Gateway and a VirtualService.",
  ingressService: "Serin reads no Ingress: write a Gateway and a VirtualService.",
  ingressControllerMode: "Serin reads no Ingress: write a Gateway and a VirtualService.",
  ingressSelector: "Serin reads no Ingress: write a Gateway and a VirtualService.",
  verifyCertificateAtClient: "Istio ignores it: certificates of a DestinationRule without caCertificates are checked by the system's CAs.",
  serviceSettings: "clusterLocal tells clusters of one mesh apart; Serin's control plane has one cluster, so every service is local to it.",
  serviceScopeConfigs: "It is for ambient mode, which Serin does not have.",
  hboneIdleTimeout: "It is for ambient mode, which Serin does not have.",
  "defaultConfig.connectionSettings.clusterPerConnectionBufferLimitBytes": "Istio ignores it too.",
  "defaultConfig.connectionSettings.listenerConnectionLimit": "Istio ignores it too.",
  "defaultConfig.configPath": "Serin chooses the files of its proxies itself.",
  "defaultConfig.binaryPath": "`serin up --proxy` chooses the program.",
  "defaultConfig.customConfigFile": "Serin writes the bootstrap itself; start the proxy yourself to use another.",
  "defaultConfig.proxyBootstrapTemplatePath": "Serin writes the bootstrap itself; start the proxy yourself to use another.",
  "defaultConfig.serviceCluster": "It is the workload's name.",
  "defaultConfig.tracingServiceName": "It comes with tracing.",
  "defaultConfig.discoveryAddress": "`serin up` knows where its control plane is.",
  "defaultConfig.discoveryRefreshDelay": "Config is pushed when it changes.",
  "defaultConfig.proxyAdminPort": "Local pods share one address, so each proxy has a port of its own (`serin status`).",
  "defaultConfig.statusPort": "No agent runs beside a proxy here whose port it would be; `serin status` says what is ready.",
  "defaultConfig.interceptionMode":
    "Local pods are not captured: their traffic goes through an HTTP proxy, and their ports through the sidecar.",
  "defaultConfig.availabilityZone": "Istio ignores it: label the pod with topology.kubernetes.io/zone.",
  "defaultConfig.controlPlaneAuthPolicy": "Proxies and control plane are on one machine, over loopback.",
  "defaultConfig.readinessProbe":
    "No agent runs beside a proxy here that would probe: a pod has its own readinessProbe, a WorkloadEntry its agent's.",
  "defaultConfig.sds": "Istio has dropped it.",
  "defaultConfig.statNameLength": "Names of statistics are never cut.",
  "defaultConfig.proxyStatsMatcher": "All statistics of a proxy are kept and shown.",
  "defaultConfig.statsCompression": "Statistics are read over loopback.",
  "defaultConfig.image": "`serin up --proxy` chooses the program.",
  "defaultConfig.fileFlushInterval": "Serin's own proxy writes access logs after 0.2 s, real Envoy after 10 s.",
  "defaultConfig.fileFlushMinSizeKb": "Serin's own proxy writes access logs after 0.2 s, real Envoy after 10 s.",
  "defaultConfig.privateKeyProvider": "Keys are handled by the proxy itself.",
};

/** What comes with a part of Serin that is not there yet. */
const LATER: Readonly<Record<string, string>> = {
  enableEnvoyAccessLogService: "telemetry",
  "outboundTrafficPolicy.tls": "mode ALLOW_ANY_DYNAMIC_DNS",
  "defaultConfig.proxyHeaders.metadataExchangeHeaders": "telemetry",
  extensionProviders: "extension providers",
  defaultProviders: "extension providers",
  enablePrometheusMerge: "telemetry",
  ca: "the mesh's own CA",
  caCertificates: "the mesh's own CA",
  "defaultConfig.caCertificatesPem": "the mesh's own CA",
  "defaultConfig.zipkinAddress": "tracing",
  "defaultConfig.statsdUdpAddress": "telemetry",
  "defaultConfig.envoyMetricsServiceAddress": "telemetry",
  "defaultConfig.envoyAccessLogService": "telemetry",
  "defaultConfig.envoyMetricsService": "telemetry",
  "defaultConfig.extraStatTags": "telemetry",
};

/** How the warning ends, and what it advises. */
export function reasonFor(path: string): { readonly says: string; readonly fix: string } {
  const never = NEVER[path];
  if (never !== undefined) return { says: "has no effect in Serin", fix: never };
  const later = LATER[path] ?? (path.startsWith("defaultConfig.tracing.") ? "tracing" : undefined);
  if (later !== undefined) return { says: "has no effect yet", fix: `It waits for ${later}; remove it, or expect it to be left out.` };
  return { says: "has no effect yet", fix: "Remove it, or expect it to be left out." };
}
