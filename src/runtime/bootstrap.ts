// The bootstrap file of a sidecar or gateway: who it is and where its control plane is. The same file starts our proxy and real Envoy
// (https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/bootstrap); node id and metadata are Istio's.
import { buildOverloadManager } from "./overload-manager.ts";

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
}

/** Envoy alone would wait up to 30 s before it looks for a control plane that has come back. */
const RECONNECT = { retry_back_off: { base_interval: "0.2s", max_interval: "2s" } };
const LOOPBACK = "127.0.0.1";
const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

export function buildBootstrap(input: BootstrapInput): unknown {
  const ads = { resource_api_version: "V3", ads: {} };
  return {
    node: {
      id: `${input.type}~${LOOPBACK}~${input.pod}.${input.namespace}~${input.namespace}.svc.cluster.local`,
      cluster: `${input.labels["app"] ?? input.workload}.${input.namespace}`,
      metadata: {
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
    admin: { address: socketAddress(input.adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", retry_policy: RECONNECT } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    overload_manager: buildOverloadManager(),
    layered_runtime: {
      layers: [
        {
          name: "istio",
          static_layer: {
            "re2.max_program_size.error_level": 32768,
            "envoy.reloadable_features.http_reject_path_with_fragment": false,
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
      ],
    },
  };
}

function socketAddress(port: number): unknown {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}
