// Which HTTP version a cluster speaks, and the limits of its connections (Istio networking/core/cluster_traffic_policy.go).
import { type Cluster, create, packAny, toDuration, UpstreamHttpProtocolOptionsSchema } from "../../envoy-api/index.ts";
import type { ConnectionPool, MeshSettings, ServicePort } from "../../model/index.ts";
import { isDetected, isHttp2, isHttpProtocol } from "../protocols.ts";

const KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

interface Options {
  readonly port: Pick<ServicePort, "protocol">;
  readonly pool: ConnectionPool | undefined;
  readonly mesh: MeshSettings;
}

type Version = "http1" | "http2" | "downstream";

function versionOf({ port, pool, mesh }: Options): Version {
  if (isHttp2(port.protocol)) return "http2";
  if (isDetected(port.protocol) || pool?.http.useClientProtocol === true) return "downstream";
  const policy = pool?.http.h2UpgradePolicy;
  const upgrade = policy === undefined || policy === "DEFAULT" ? mesh.h2UpgradePolicy === "UPGRADE" : policy === "UPGRADE";
  return upgrade && port.protocol === "HTTP" ? "http2" : "http1";
}

/** Nothing for plain HTTP/1.1 without limits: that is Envoy's default. */
export function protocolOptions(options: Options): Pick<Cluster, "typedExtensionProtocolOptions"> | undefined {
  if (!isHttpProtocol(options.port.protocol)) return undefined;
  const version = versionOf(options);
  const http = options.pool?.http;
  const streams = http?.maxConcurrentStreams;
  const http2 = streams === undefined ? {} : { maxConcurrentStreams: streams };
  const common = {
    ...(http?.idleTimeoutMs === undefined ? {} : { idleTimeout: toDuration(http.idleTimeoutMs) }),
    ...(http?.maxRequestsPerConnection === undefined || http.maxRequestsPerConnection === 0
      ? {}
      : { maxRequestsPerConnection: http.maxRequestsPerConnection }),
    ...(options.pool?.tcp.maxConnectionDurationMs === undefined
      ? {}
      : { maxConnectionDuration: toDuration(options.pool.tcp.maxConnectionDurationMs) }),
  };
  if (version === "http1" && Object.keys(common).length === 0) return undefined;
  const message = create(UpstreamHttpProtocolOptionsSchema, {
    ...(Object.keys(common).length === 0 ? {} : { commonHttpProtocolOptions: common }),
    upstreamProtocolOptions:
      version === "downstream"
        ? { case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions: http2 } }
        : {
            case: "explicitHttpConfig",
            value: {
              protocolConfig:
                version === "http2" ? { case: "http2ProtocolOptions", value: http2 } : { case: "httpProtocolOptions", value: {} },
            },
          },
  });
  return { typedExtensionProtocolOptions: { [KEY]: packAny(UpstreamHttpProtocolOptionsSchema, message) } };
}
