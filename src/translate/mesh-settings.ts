// MeshConfig as written → what generation reads, with Istio's defaults (pkg/config/mesh/mesh.go). Wrongly typed values keep the default and are reported.
import { parseDuration } from "../kit/index.ts";
import type { MeshSettings } from "../model/index.ts";
import { toLocalityLb } from "./destination-rules/load-balancer.ts";
import { toTlsSettings } from "./tls.ts";
import { toRetries } from "./virtual-services/actions.ts";

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

/** A header setting of proxyHeaders is off by `disabled: true`. */
function disabled(value: unknown): boolean {
  return fields(value)["disabled"] === true;
}

const interned = new Map<string, MeshSettings>();
const MAX_INTERNED = 64;

/** Equal MeshConfigs are one settings object, however often they are parsed: everything translated is memoised by it. */
export function toMeshSettings(meshConfig: unknown): MeshSettings {
  const settings = readMeshSettings(meshConfig);
  const key = JSON.stringify(settings);
  const known = interned.get(key);
  if (known !== undefined) return known;
  if (interned.size >= MAX_INTERNED) interned.clear();
  interned.set(key, settings);
  return settings;
}

function readMeshSettings(meshConfig: unknown): MeshSettings {
  const mesh = fields(meshConfig);
  const proxy = fields(mesh["defaultConfig"]);
  const headers = fields(proxy["proxyHeaders"]);
  const topology = fields(proxy["gatewayTopology"]);
  const server = fields(headers["server"]);
  const locality = mesh["localityLbSetting"];
  const retries = mesh["defaultHttpRetryPolicy"];
  return Object.freeze({
    rootNamespace: text(mesh["rootNamespace"], "istio-system"),
    domain: "cluster.local",
    proxyListenPort: integer(mesh["proxyListenPort"], 15_001),
    proxyInboundListenPort: integer(mesh["proxyInboundListenPort"], 15_006),
    proxyHttpPort: integer(mesh["proxyHttpPort"], 0),
    connectTimeoutMs: duration(mesh["connectTimeout"], 10_000),
    outboundTrafficPolicy: oneOf(fields(mesh["outboundTrafficPolicy"])["mode"], ["ALLOW_ANY", "REGISTRY_ONLY"], "ALLOW_ANY"),
    pathNormalization: oneOf(
      fields(mesh["pathNormalization"])["normalization"],
      ["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"],
      "BASE",
    ),
    accessLogFile: text(mesh["accessLogFile"], ""),
    accessLogFormat: text(mesh["accessLogFormat"], ""),
    accessLogEncoding: oneOf(mesh["accessLogEncoding"], ["TEXT", "JSON"], "TEXT"),
    h2UpgradePolicy: oneOf(mesh["h2UpgradePolicy"], ["DO_NOT_UPGRADE", "UPGRADE"], "DO_NOT_UPGRADE"),
    protocolDetectionTimeoutMs: duration(mesh["protocolDetectionTimeout"], 0),
    numTrustedProxies: integer(topology["numTrustedProxies"], 0),
    forwardClientCertDetails: text(topology["forwardClientCertDetails"], ""),
    proxyHeaders: {
      server: { disabled: server["disabled"] === true, value: text(server["value"], "") },
      requestIdDisabled: disabled(headers["requestId"]),
      attemptCountDisabled: disabled(headers["attemptCount"]),
      envoyDebugHeadersDisabled: disabled(headers["envoyDebugHeaders"]),
      preserveHttp1HeaderCase: headers["preserveHttp1HeaderCase"] === true,
      xForwardedHost: fields(headers["xForwardedHost"])["enabled"] === true,
      xForwardedPort: fields(headers["xForwardedPort"])["enabled"] === true,
    },
    defaultHttpRetryPolicy: typeof retries === "object" && retries !== null ? toRetries(retries) : undefined,
    gatewayProxyProtocol: typeof fields(proxy["gatewayTopology"])["proxyProtocol"] === "object",
    tlsDefaults: toTlsSettings(fields(mesh["tlsDefaults"])),
    meshMtls: toTlsSettings(fields(mesh["meshMTLS"])),
    enableAutoMtls: mesh["enableAutoMtls"] !== false,
    trustDomain: text(mesh["trustDomain"], "cluster.local"),
    trustDomainAliases: texts(mesh["trustDomainAliases"], []),
    localityLb: toLocalityLb(typeof locality === "object" && locality !== null ? locality : {}),
    defaultServiceExportTo: texts(mesh["defaultServiceExportTo"], ["*"]),
    defaultVirtualServiceExportTo: texts(mesh["defaultVirtualServiceExportTo"], ["*"]),
    defaultDestinationRuleExportTo: texts(mesh["defaultDestinationRuleExportTo"], ["*"]),
  });
}

/** Fields that have an effect, or whose only values without one are their defaults (Serin has no mutual TLS, tracing or metrics providers yet). */
const READ: ReadonlySet<string> = new Set([
  "rootNamespace", "proxyListenPort", "proxyInboundListenPort", "proxyHttpPort", "connectTimeout", "outboundTrafficPolicy", "pathNormalization",
  "accessLogFile", "accessLogFormat", "accessLogEncoding", "h2UpgradePolicy", "protocolDetectionTimeout", "defaultConfig", "defaultHttpRetryPolicy",
  "localityLbSetting", "tlsDefaults", "meshMTLS", "enableAutoMtls", "trustDomain", "trustDomainAliases", "defaultServiceExportTo", "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo",
]); // prettier-ignore
const READ_IN_PROXY: ReadonlySet<string> = new Set(["gatewayTopology", "proxyHeaders"]);
const READ_IN_TOPOLOGY: ReadonlySet<string> = new Set(["numTrustedProxies", "forwardClientCertDetails", "proxyProtocol"]);

/** Fields of a MeshConfig that are written down and have no effect yet, as paths. */
export function unreadMeshConfigFields(meshConfig: unknown): readonly string[] {
  const mesh = fields(meshConfig);
  const proxy = fields(mesh["defaultConfig"]);
  const missing = (object: Fields, known: ReadonlySet<string>, prefix: string): string[] =>
    Object.keys(object)
      .filter((name) => !known.has(name))
      .map((name) => prefix + name);
  const harmless = new Set<string>();
  const providers = Object.values(fields(mesh["defaultProviders"]));
  if (providers.every((list) => Array.isArray(list) && list.length === 0)) harmless.add("defaultProviders");
  return [
    ...missing(mesh, READ, "").filter((name) => !harmless.has(name)),
    ...missing(proxy, READ_IN_PROXY, "defaultConfig."),
    ...missing(fields(proxy["gatewayTopology"]), READ_IN_TOPOLOGY, "defaultConfig.gatewayTopology."),
  ];
}
