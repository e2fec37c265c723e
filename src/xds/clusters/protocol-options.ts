// Which HTTP version a cluster speaks, and the limits of its connections (Istio networking/core/cluster_traffic_policy.go).
import { type Cluster, create, packAny, toDuration, UpstreamHttpProtocolOptionsSchema } from "../../envoy-api/index.ts";
import type { ConnectionPool, MeshSettings, ServicePort } from "../../model/index.ts";
import { http1Options } from "../http1-options.ts";
import { isDetected, isHttp2, isHttpProtocol } from "../protocols.ts";

const KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

interface Options {
  readonly port: Pick<ServicePort, "protocol">;
  readonly pool: ConnectionPool | undefined;
  readonly mesh: MeshSettings;
  /** Gateways detect no protocols. */
  readonly router: boolean;
  /** Statuses that outlier detection takes for errors; none = its own rule. */
  readonly errorCodes?: readonly number[];
  /** SNI, and the name to verify, are taken from each request. */
  readonly names?: { readonly autoSni: boolean; readonly autoSanValidation: boolean };
}

/** Explicitly; a cluster that follows its callers does not count. */
export function speaksHttp2(options: Options): boolean {
  return versionOf(options) === "http2";
}

type Version = "http1" | "http2" | "downstream";

function versionOf({ port, pool, mesh, router }: Options): Version {
  if (pool?.http.useClientProtocol === true) return "downstream";
  if (isHttp2(port.protocol)) return "http2";
  if (isDetected(port.protocol) && !router) return "downstream";
  const http = isHttpProtocol(port.protocol);
  // Istio sets HTTP/1 options for the case of header names, and an upgrade leaves what is set.
  if (http && mesh.proxyHeaders.preserveHttp1HeaderCase) return "http1";
  const policy = pool?.http.h2UpgradePolicy;
  if (policy === "UPGRADE" || policy === "DO_NOT_UPGRADE") return policy === "UPGRADE" ? "http2" : "http1";
  return mesh.h2UpgradePolicy === "UPGRADE" && http && !isDetected(port.protocol) ? "http2" : "http1";
}

/** Milliseconds and counts that are set; the idle time of TCP stands in for that of HTTP. */
function commonOptions(pool: ConnectionPool | undefined): object | undefined {
  if (pool === undefined) return undefined;
  const { tcp, http } = pool;
  const idle = http.idleTimeoutMs ?? tcp.idleTimeoutMs;
  const requests = http.maxRequestsPerConnection ?? 0;
  const options = {
    ...(idle === undefined ? {} : { idleTimeout: toDuration(idle) }),
    ...(requests > 0 ? { maxRequestsPerConnection: requests } : {}),
    ...(tcp.maxConnectionDurationMs === undefined ? {} : { maxConnectionDuration: toDuration(tcp.maxConnectionDurationMs) }),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}

function keepaliveOptions(pool: ConnectionPool | undefined): object {
  const keepalive = pool?.http.http2Keepalive;
  if (keepalive === undefined) return {};
  return { connectionKeepalive: { interval: toDuration(keepalive.intervalMs), timeout: toDuration(keepalive.timeoutMs) } };
}

function http2Options(pool: ConnectionPool | undefined): object {
  const streams = pool?.http.maxConcurrentStreams ?? 0;
  return { ...(streams > 0 ? { maxConcurrentStreams: streams } : {}), ...keepaliveOptions(pool) };
}

function anyStatus(codes: readonly number[]): object {
  const rules = codes.map((code) => {
    const status = { name: ":status", headerMatchSpecifier: stringMatch({ case: "exact", value: String(code) }) };
    return { rule: { case: "httpResponseHeadersMatch", value: { headers: [status] } } };
  });
  return rules.length === 1 ? (rules[0] as object) : { rule: { case: "orMatch", value: { rules } } };
}

function stringMatch(matchPattern: object): object {
  return { case: "stringMatch", value: { matchPattern } };
}

/** Nothing for plain HTTP/1.1 without limits: that is Envoy's default. */
export function protocolOptions(options: Options): Pick<Cluster, "typedExtensionProtocolOptions"> | undefined {
  const { pool, mesh } = options;
  const version = versionOf(options);
  const common = commonOptions(pool);
  const keepsCase = mesh.proxyHeaders.preserveHttp1HeaderCase && isHttpProtocol(options.port.protocol);
  const { autoSni, autoSanValidation } = options.names ?? { autoSni: false, autoSanValidation: false };
  const named = autoSni || autoSanValidation;
  const codes = options.errorCodes ?? [];
  if (version === "http1" && common === undefined && !keepsCase && !named && codes.length === 0) return undefined;
  const http1 = keepsCase ? http1Options(mesh) : {};
  const explicit =
    version === "http2"
      ? { case: "http2ProtocolOptions" as const, value: http2Options(pool) }
      : { case: "httpProtocolOptions" as const, value: http1 };
  const message = create(UpstreamHttpProtocolOptionsSchema, {
    ...(common === undefined ? {} : { commonHttpProtocolOptions: common }),
    ...(named ? { upstreamHttpProtocolOptions: { autoSni, autoSanValidation } } : {}),
    ...(codes.length === 0 ? {} : { outlierDetection: { errorMatcher: anyStatus(codes) } }),
    upstreamProtocolOptions:
      version === "downstream"
        ? { case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: http1, http2ProtocolOptions: keepaliveOptions(pool) } }
        : { case: "explicitHttpConfig", value: { protocolConfig: explicit } },
  } as never);
  return { typedExtensionProtocolOptions: { [KEY]: packAny(UpstreamHttpProtocolOptionsSchema, message) } };
}
