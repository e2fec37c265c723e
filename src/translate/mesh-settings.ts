// MeshConfig as written → what generation reads, with Istio's defaults (pkg/config/mesh/mesh.go). Wrongly typed values keep the default and are reported.
import { parseDuration } from "../kit/index.ts";
import type { LabelSelector, MeshSettings, Visibility } from "../model/index.ts";
import { toConnectionSettings } from "./connection-settings.ts";
import { toLocalityLb, toZoneAwareLb } from "./destination-rules/load-balancer.ts";
import { type KeepaliveSpec, type PolicySettingsSpec, toKeepalive, toSettings } from "./destination-rules/traffic-policy.ts";
import { toClientTls, toTlsSettings } from "./tls.ts";
import { toRetries } from "./virtual-services/actions.ts";

/** What istiod reads from its environment, not from MeshConfig. */
export interface IstiodSettings {
  readonly scopeGatewayToNamespace?: boolean;
  readonly tlsOnSidecarIngress?: boolean;
  readonly http10?: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function integer(value: unknown, fallback: number): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : fallback;
}

function text(value: unknown, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

function duration(value: unknown, fallback: number): number {
  return typeof value === "string" ? (parseDuration(value) ?? fallback) : fallback;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.find((entry) => entry === value) ?? fallback;
}

function texts(value: unknown, fallback: readonly string[]): readonly string[] {
  return Array.isArray(value) && value.length > 0 ? value.filter((entry) => typeof entry === "string") : fallback;
}

/** Istio's default (PILOT_TRACE_SAMPLING); more than all of them is taken for a mistake. */
const TRACE_SAMPLING_PERCENT = 1;

function samplingOf(percent: unknown): number {
  return typeof percent === "number" && percent > 0 && percent <= 100 ? percent : TRACE_SAMPLING_PERCENT;
}

/** A header setting of proxyHeaders is off by `disabled: true`. */
function disabled(value: unknown): boolean {
  return fields(value)["disabled"] === true;
}

type ProxyPart = Pick<
  MeshSettings,
  "numTrustedProxies" | "forwardClientCertDetails" | "gatewayProxyProtocol" | "proxyHeaders" | "traceSamplingPercent" | "connectionSettings"
>;

/** The part of a ProxyConfig that generation reads. */
function readProxyConfig(proxy: Fields): ProxyPart {
  const headers = fields(proxy["proxyHeaders"]);
  const topology = fields(proxy["gatewayTopology"]);
  const server = fields(headers["server"]);
  const cert = fields(headers["setCurrentClientCertDetails"]);
  return {
    traceSamplingPercent: samplingOf(fields(proxy["tracing"])["sampling"]),
    numTrustedProxies: integer(topology["numTrustedProxies"], 0),
    forwardClientCertDetails: text(topology["forwardClientCertDetails"], ""),
    connectionSettings: toConnectionSettings(fields(proxy["connectionSettings"])),
    gatewayProxyProtocol: typeof topology["proxyProtocol"] === "object",
    proxyHeaders: {
      server: { disabled: server["disabled"] === true, value: text(server["value"], "") },
      forwardedClientCert: text(headers["forwardedClientCert"], ""),
      clientCertDetails: {
        subject: cert["subject"] !== false,
        cert: cert["cert"] === true,
        chain: cert["chain"] === true,
        dns: cert["dns"] !== false,
        uri: cert["uri"] !== false,
      },
      requestIdDisabled: disabled(headers["requestId"]),
      attemptCountDisabled: disabled(headers["attemptCount"]),
      envoyDebugHeadersDisabled: disabled(headers["envoyDebugHeaders"]),
      preserveHttp1HeaderCase: headers["preserveHttp1HeaderCase"] === true,
      xForwardedHost: fields(headers["xForwardedHost"])["enabled"] === true,
      xForwardedPort: fields(headers["xForwardedPort"])["enabled"] === true,
    },
  };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function toSelector(value: unknown): LabelSelector {
  const { matchLabels, matchExpressions } = fields(value);
  return {
    matchLabels: fields(matchLabels) as Readonly<Record<string, string>>,
    matchExpressions: list(matchExpressions).map((one) => {
      const { key, operator, values } = fields(one);
      return {
        key: text(key, ""),
        operator: oneOf(operator, ["In", "NotIn", "Exists", "DoesNotExist"], "Exists"),
        values: texts(values, []),
      };
    }),
  };
}

/** Sidecars and gateways follow it only where it says so; else it is for ambient mode. */
function toVisibility(value: Fields): MeshSettings["serviceEntryVisibility"] {
  if (value["applyToSidecars"] !== true) return undefined;
  const kind = (one: unknown): Visibility => oneOf(one, ["PUBLIC", "NAMESPACE", "NONE"], "PUBLIC");
  return {
    defaultVisibility: kind(value["defaultVisibility"]),
    policies: list(value["policies"]).map((policy) => ({
      visibility: kind(fields(policy)["visibility"]),
      selectors: list(fields(policy)["matchingRules"]).map((rule) => {
        const selector = fields(rule)["namespaceSelector"];
        return selector === undefined ? undefined : toSelector(selector);
      }),
    })),
  };
}

const interned = new Map<string, MeshSettings>();
const MAX_INTERNED = 64;

/** Equal MeshConfigs are one settings object, however often they are parsed: everything translated is memoised by it. */
export function toMeshSettings(meshConfig: unknown, istiod: IstiodSettings = {}): MeshSettings {
  return intern(readMeshSettings(meshConfig, istiod));
}

/** For a proxy that brings a ProxyConfig of its own (node metadata PROXY_CONFIG): it takes the place of the mesh's defaultConfig as a whole. */
export function withProxyConfig(settings: MeshSettings, proxyConfig: string): MeshSettings {
  if (proxyConfig === "") return settings;
  const written = fields(JSON.parse(proxyConfig));
  const own = readProxyConfig(written);
  const traced = settings.traceSamplingPercent !== undefined;
  // This one is the mesh's where the proxy's own says nothing of it.
  const connectionSettings = written["connectionSettings"] === undefined ? settings.connectionSettings : own.connectionSettings;
  return intern(
    Object.freeze({ ...settings, ...own, connectionSettings, traceSamplingPercent: traced ? own.traceSamplingPercent : undefined }),
  );
}

function intern(settings: MeshSettings): MeshSettings {
  const key = JSON.stringify(settings);
  const known = interned.get(key);
  if (known !== undefined) return known;
  if (interned.size >= MAX_INTERNED) interned.clear();
  interned.set(key, settings);
  return settings;
}

function readMeshSettings(meshConfig: unknown, istiod: IstiodSettings): MeshSettings {
  const mesh = fields(meshConfig);
  const proxy = readProxyConfig(fields(mesh["defaultConfig"]));
  const locality = mesh["localityLbSetting"];
  const zones = mesh["zoneAwareLbSetting"];
  const keepalive = mesh["tcpKeepalive"];
  const outbound = fields(mesh["outboundTrafficPolicy"]);
  const policy = (value: unknown) => (typeof value === "object" && value !== null ? toRetries(value) : undefined);
  return Object.freeze({
    ...proxy,
    traceSamplingPercent: mesh["enableTracing"] === false ? undefined : proxy.traceSamplingPercent,
    rootNamespace: text(mesh["rootNamespace"], "istio-system"),
    domain: "cluster.local",
    scopeGatewayToNamespace: istiod.scopeGatewayToNamespace === true,
    tlsOnSidecarIngress: istiod.tlsOnSidecarIngress === true,
    http10: istiod.http10 === true,
    proxyListenPort: integer(mesh["proxyListenPort"], 15_001),
    proxyInboundListenPort: integer(mesh["proxyInboundListenPort"], 15_006),
    proxyHttpPort: integer(mesh["proxyHttpPort"], 0),
    connectTimeoutMs: duration(mesh["connectTimeout"], 10_000),
    tcpKeepalive: typeof keepalive === "object" && keepalive !== null ? toKeepalive(keepalive as KeepaliveSpec) : undefined,
    outboundTrafficPolicy: oneOf(outbound["mode"], ["ALLOW_ANY", "REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS"], "ALLOW_ANY"),
    outboundTls: typeof outbound["tls"] === "object" && outbound["tls"] !== null ? toClientTls(outbound["tls"]) : undefined,
    inboundTrafficPolicy: oneOf(fields(mesh["inboundTrafficPolicy"])["mode"], ["PASSTHROUGH", "LOCALHOST"], "PASSTHROUGH"),
    dnsRefreshRateMs: duration(mesh["dnsRefreshRate"], 60_000),
    inboundClusterStatName: text(mesh["inboundClusterStatName"], ""),
    outboundClusterStatName: text(mesh["outboundClusterStatName"], ""),
    pathNormalization: oneOf(
      fields(mesh["pathNormalization"])["normalization"],
      ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"],
      "BASE",
    ),
    accessLogFile: text(mesh["accessLogFile"], ""),
    accessLogFormat: text(mesh["accessLogFormat"], ""),
    accessLogEncoding: oneOf(mesh["accessLogEncoding"], ["TEXT", "JSON"], "TEXT"),
    listenerLogDisabled: mesh["disableEnvoyListenerLog"] === true,
    h2UpgradePolicy: oneOf(mesh["h2UpgradePolicy"], ["DO_NOT_UPGRADE", "UPGRADE"], "DO_NOT_UPGRADE"),
    protocolDetectionTimeoutMs: duration(mesh["protocolDetectionTimeout"], 0),
    tlsDefaults: toTlsSettings(fields(mesh["tlsDefaults"])),
    meshMtls: toTlsSettings(fields(mesh["meshMTLS"])),
    enableAutoMtls: mesh["enableAutoMtls"] !== false,
    trustDomain: text(mesh["trustDomain"], "cluster.local"),
    trustDomainAliases: texts(mesh["trustDomainAliases"], []),
    defaultTrafficPolicy: toSettings(fields(mesh["defaultTrafficPolicy"]) as PolicySettingsSpec),
    defaultHttpRetryPolicy: policy(mesh["defaultHttpRetryPolicy"]),
    defaultInboundHttpRetryPolicy: policy(mesh["defaultInboundHttpRetryPolicy"]),
    localityLb: toLocalityLb(typeof locality === "object" && locality !== null ? locality : {}),
    zoneAwareLb: typeof zones === "object" && zones !== null ? toZoneAwareLb(zones) : undefined,
    discoverySelectors: list(mesh["discoverySelectors"]).map(toSelector),
    serviceEntryVisibility: toVisibility(fields(mesh["serviceEntryVisibility"])),
    defaultServiceExportTo: texts(mesh["defaultServiceExportTo"], ["*"]),
    defaultVirtualServiceExportTo: texts(mesh["defaultVirtualServiceExportTo"], ["*"]),
    defaultDestinationRuleExportTo: texts(mesh["defaultDestinationRuleExportTo"], ["*"]),
  });
}
