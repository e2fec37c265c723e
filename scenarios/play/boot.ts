// The bootstrap file of a case's proxy: who it is, where its control plane and its secret server are, the runtime flags of Istio's agent.
import type { CaseProxy } from "./case.ts";

export const PORTS = { proxy: 15007, xds: 15010, sds: 15011, proxyAdmin: 15000, controlAdmin: 18080 } as const;
/** No endpoint has it: Istio would take the proxy's labels from such an endpoint. */
export const PROXY_IP = "10.9.9.9";

export function nodeOf(proxy: CaseProxy): Record<string, unknown> {
  const metadata: Record<string, unknown> = {
    NAMESPACE: proxy.namespace,
    CLUSTER_ID: "Kubernetes",
    ISTIO_VERSION: "1.29.0",
    INSTANCE_IPS: PROXY_IP,
    NAME: proxy.name,
    LABELS: proxy.labels,
    WORKLOAD_NAME: proxy.labels["app"],
    ...(proxy.serviceAccount === undefined ? {} : { SERVICE_ACCOUNT: proxy.serviceAccount }),
    ...proxy.metadata,
  };
  const address = String(metadata["INSTANCE_IPS"]).split(",")[0];
  return {
    id: `${proxy.type}~${address}~${proxy.name}.${proxy.namespace}~${proxy.namespace}.svc.cluster.local`,
    cluster: `${proxy.labels["app"]}.${proxy.namespace}`,
    metadata,
    ...(proxy.locality === undefined ? {} : { locality: proxy.locality }),
  };
}

/** A control plane that has come back is found soon. */
const RECONNECT = { retry_back_off: { base_interval: "0.2s", max_interval: "2s" } };

const socket = (port: number): unknown => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function grpcCluster(name: string, port: number): unknown {
  const type = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      [type]: { "@type": `type.googleapis.com/${type}`, explicit_http_config: { http2_protocol_options: {} } },
    },
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(port) } }] }] },
  };
}

/** As Istio's agent does where the proxy is to know its like. */
function selfDiscovery(proxy: CaseProxy, ads: unknown): { readonly clusters: readonly unknown[]; readonly manager: object } {
  if (proxy.metadata?.["ENABLE_SELF_DISCOVERY"] !== "true") return { clusters: [], manager: {} };
  const name = "local_cluster";
  const cluster = { name, type: "EDS", connect_timeout: "1s", eds_cluster_config: { eds_config: ads, service_name: name } };
  return { clusters: [cluster], manager: { cluster_manager: { local_cluster_name: name } } };
}

export function bootstrap(proxy: CaseProxy): unknown {
  const ads = { resource_api_version: "V3", ads: {} };
  const own = selfDiscovery(proxy, ads);
  return {
    ...own.manager,
    node: nodeOf(proxy),
    admin: { address: socket(PORTS.proxyAdmin) },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", retry_policy: RECONNECT } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    layered_runtime: {
      layers: [
        {
          name: "istio",
          static_layer: { "re2.max_program_size.error_level": 32768, "envoy.reloadable_features.http_reject_path_with_fragment": false },
        },
        { name: "admin", admin_layer: {} },
      ],
    },
    static_resources: { clusters: [grpcCluster("xds-grpc", PORTS.xds), grpcCluster("sds-grpc", PORTS.sds), ...own.clusters] },
  };
}
