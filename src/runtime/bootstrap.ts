// The bootstrap file of a sidecar or gateway: who it is and where its control plane is. The same file starts our proxy and real Envoy
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/bootstrap); node id and metadata are Istio's.
import { buildOverloadManager } from "./overload-manager.ts";
import type { ProxySettings } from "./proxy-settings.ts";

export interface BootstrapInput {
  readonly type: "sidecar" | "router";
  readonly pod: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly workload: string;
  readonly adminPort: number;
  readonly xdsPort: number;
  readonly httpProxyPort: number | undefined;
  readonly settings: Pick<ProxySettings, "metadata" | "proxyConfig" | "runtimeValues" | "connectionLimit">;
}

/** Envoy alone would wait up to 30 s before it looks for a control plane that has come back. */
const RECONNECT = { retry_back_off: { base_interval: "0.2s", max_interval: "2s" } };
const LOOPBACK = "127.0.0.1";
/** Istio's name for it, by which the control plane knows it. */
const LOCAL_CLUSTER = "local_cluster";
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

export function buildBootstrap(input: BootstrapInput): unknown {
  const ads = { resource_api_version: "V3", ads: {} };
  const { metadata, proxyConfig, runtimeValues, connectionLimit } = input.settings;
  const own = metadata["ENABLE_SELF_DISCOVERY"] === "true" ? LOCAL_CLUSTER : undefined;
  return {
    ...(own === undefined ? {} : { cluster_manager: { local_cluster_name: own } }),
    node: {
      ...localityOf(input.labels),
      id: `${input.type}~${LOOPBACK}~${input.pod}.${input.namespace}~${input.namespace}.svc.cluster.local`,
      cluster: `${input.labels["app"] ?? input.workload}.${input.namespace}`,
      metadata: {
        ...metadata,
        ...(proxyConfig === undefined ? {} : { PROXY_CONFIG: proxyConfig }),
        NAME: input.pod,
        NAMESPACE: input.namespace,
        LABELS: input.labels,
        ANNOTATIONS: input.annotations,
        WORKLOAD_NAME: input.workload,
        SERVICE_ACCOUNT: input.serviceAccount,
        CLUSTER_ID: "Kubernetes",
        INSTANCE_IPS: LOOPBACK,
        ISTIO_VERSION: "1.29.0",
        INTERCEPTION_MODE: "NONE",
        SERIN_BIND: LOOPBACK,
        SERIN_SHARED_HOST: "1",
        SERIN_SECRET_SERVER: "none",
        ...(input.httpProxyPort === undefined ? {} : { HTTP_PROXY_PORT: String(input.httpProxyPort) }),
      },
    },
    // Who looks at the proxy is no caller.
    admin: { address: socketAddress(input.adminPort), ignore_global_conn_limit: true },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", retry_policy: RECONNECT } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    overload_manager: buildOverloadManager({ maxConnections: connectionLimit }),
    layered_runtime: {
      layers: [
        {
          name: "istio",
          static_layer: {
            "re2.max_program_size.error_level": 32768,
            "envoy.reloadable_features.http_reject_path_with_fragment": false,
            ...Object.fromEntries(Object.entries(runtimeValues).map(([key, value]) => [key, runtimeValue(value)])),
          },
        },
        { name: "admin", admin_layer: {} },
      ],
    },
    static_resources: {
      clusters: [
        {
          name: "xds-grpc",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            [HTTP_OPTIONS]: {
              "@type": `type.googleapis.com/${HTTP_OPTIONS}`,
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: "xds-grpc",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(input.xdsPort) } }] }],
          },
        },
        ...(own === undefined ? [] : [localCluster(own, ads)]),
      ],
    },
  };
}

function socketAddress(port: number): unknown {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}

/** Who else is a copy of this workload, and where: requests stay in a zone by that. */
function localCluster(name: string, ads: unknown): unknown {
  return { name, type: "EDS", connect_timeout: "1s", eds_cluster_config: { eds_config: ads, service_name: name } };
}

/** As the control plane reads the labels of a pod. */
function localityOf(labels: BootstrapInput["labels"]): object {
  const label = labels["topology.istio.io/locality"] ?? labels["istio-locality"];
  const parts =
    label?.split(label.includes("/") ? "/" : ".") ??
    ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"].map((name) => labels[name] ?? "");
  const [region = "", zone = "", subZone = ""] = parts;
  return `${region}${zone}${subZone}` === "" ? {} : { locality: { region, zone, sub_zone: subZone } };
}

/** MeshConfig has texts only; Envoy knows numbers and booleans. */
function runtimeValue(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
