// Istio's MeshConfig (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/): every field is known by name; those that generation
// reads are checked, the others warn that they have no effect yet.
import type { Issue } from "../kit/index.ts";
import { duration, must } from "./checks/fields.ts";
import { extendPath } from "./field-path.ts";
import { clientTls } from "./istio/client-tls.ts";
import { connectionPool } from "./istio/connection-pool.ts";
import { exportTo } from "./istio/export-to.ts";
import { retries } from "./istio/http-retry.ts";
import { reasonFor } from "./mesh-config-reasons.ts";
import { localityLbSetting, zoneAwareLbSetting } from "./istio/locality.ts";
import { outlierDetection } from "./istio/traffic-policy.ts";
import { ignored, isIgnored } from "./kubernetes/ignored.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Source } from "./parse-sources.ts";
import { CODE, createReport, type Report } from "./report.ts";
import { readValue } from "./schema/read.ts";
import {
  bool,
  enumOf,
  int,
  int32,
  list,
  map,
  num,
  obj,
  type ObjectSchema,
  req,
  type Rule,
  type Schema,
  str,
  uint32,
} from "./schema/schema.ts";
import { locateIn } from "./yaml/locate.ts";
import { readDocument } from "./yaml/read-document.ts";
import { splitDocuments } from "./yaml/split-documents.ts";

export interface ParsedMeshConfig {
  /** In the API's own shape, frozen; `{}` for an empty file, undefined with errors. */
  readonly value: Readonly<Record<string, unknown>> | undefined;
  readonly issues: readonly Issue[];
}

const port = int({ min: 1, max: 65_535 });
const switchOff = obj({ disabled: bool() });
const switchOn = obj({ enabled: bool() });

const FORWARD_CERT = ["UNDEFINED", "SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"];

const proxyHeaders = obj({
  server: obj({ disabled: bool(), value: str() }),
  requestId: switchOff,
  attemptCount: switchOff,
  envoyDebugHeaders: switchOff,
  preserveHttp1HeaderCase: bool(),
  xForwardedHost: switchOn,
  xForwardedPort: switchOn,
  forwardedClientCert: enumOf(FORWARD_CERT),
  setCurrentClientCertDetails: obj({ subject: bool(), cert: bool(), chain: bool(), dns: bool(), uri: bool() }),
  ...ignored("metadataExchangeHeaders"),
});

const window = int32({ min: 65_535 });

const connectionSettings = obj({
  profile: enumOf(["SIDECAR", "EDGE"]),
  listenerPerConnectionBufferLimitBytes: int32({ min: 0 }),
  httpIdleTimeout: duration({ zero: true }),
  httpMaxConnectionDuration: duration({ zero: true }),
  httpDrainTimeout: duration({ zero: true }),
  httpRequestTimeout: duration({ zero: true }),
  httpRequestHeadersTimeout: duration({ zero: true }),
  httpStreamIdleTimeout: duration({ zero: true }),
  httpMaxStreamDuration: duration({ zero: true }),
  httpMaxConcurrentStreams: int32({ min: 1 }),
  http2InitialStreamWindowSize: window,
  http2InitialConnectionWindowSize: window,
  httpHeadersWithUnderscoresAction: enumOf([
    "HEADERS_WITH_UNDERSCORES_UNSPECIFIED", "HEADERS_WITH_UNDERSCORES_ALLOW", "HEADERS_WITH_UNDERSCORES_REJECT_REQUEST",
    "HEADERS_WITH_UNDERSCORES_DROP_HEADER",
  ]), // prettier-ignore
  httpMergeSlashes: bool(),
  httpPathWithEscapedSlashesAction: enumOf([
    "PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED", "KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD",
  ]), // prettier-ignore
  globalDownstreamConnectionLimit: int32({ min: 1 }),
  ...ignored("clusterPerConnectionBufferLimitBytes", "listenerConnectionLimit"),
});

const defaultConfig = obj({
  gatewayTopology: obj({ numTrustedProxies: uint32(), forwardClientCertDetails: enumOf(FORWARD_CERT), proxyProtocol: obj({}) }),
  proxyHeaders,
  tracing: obj({
    sampling: num({ min: 0 }),
    ...ignored(
      "zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent", "customTags", "maxPathTagLength", "tlsSettings", "enableIstioTags",
    ), // prettier-ignore
  }),
  connectionSettings,
  concurrency: int32({ min: 0 }),
  proxyMetadata: map(str()),
  runtimeValues: map(str()),
  meshId: str(),
  drainDuration: duration(),
  terminationDrainDuration: duration({ zero: true }),
  holdApplicationUntilProxyStarts: bool(),
  ...ignored(
    "configPath", "binaryPath", "serviceCluster", "tracingServiceName", "discoveryAddress", "discoveryRefreshDelay", "zipkinAddress",
    "statsdUdpAddress", "envoyMetricsServiceAddress", "proxyAdminPort", "availabilityZone", "controlPlaneAuthPolicy", "customConfigFile",
    "statNameLength", "proxyBootstrapTemplatePath", "interceptionMode", "sds", "envoyAccessLogService",
    "envoyMetricsService", "statusPort", "extraStatTags", "readinessProbe",
    "proxyStatsMatcher", "caCertificatesPem", "image", "privateKeyProvider", "fileFlushInterval",
    "fileFlushMinSizeKb", "statsCompression",
  ), // prettier-ignore
});

const rootNamespace = str({
  check: must((name: string) =>
    /^(?:|[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)$/.test(name) ? undefined : `${JSON.stringify(name)} is no namespace`,
  ),
});

const tlsSettings = obj({
  minProtocolVersion: enumOf(["TLS_AUTO", "TLSV1_2", "TLSV1_3"]),
  cipherSuites: list(str()),
  ecdhCurves: list(str()),
});

const needsValues: Rule = {
  message: "In and NotIn have values, Exists and DoesNotExist have none",
  test: ({ operator, values }) => (operator === "In" || operator === "NotIn") === (Array.isArray(values) && values.length > 0),
};

/** Kubernetes' own. */
const labelSelector = obj({
  matchLabels: map(str()),
  matchExpressions: list(
    obj(
      { key: req(str({ min: 1 })), operator: req(enumOf(["In", "NotIn", "Exists", "DoesNotExist"])), values: list(str()) },
      { rules: [needsValues] },
    ),
  ),
});

const visibility = enumOf(["VISIBILITY_UNSPECIFIED", "NONE", "NAMESPACE", "PUBLIC"]);

export const meshConfigSchema: ObjectSchema = obj({
  proxyListenPort: port,
  proxyInboundListenPort: port,
  proxyHttpPort: int({ min: 0, max: 65_535 }),
  connectTimeout: duration(),
  tcpKeepalive: obj({ probes: uint32(), time: duration(), interval: duration() }),
  protocolDetectionTimeout: duration({ zero: true }),
  accessLogFile: str(),
  accessLogFormat: str(),
  accessLogEncoding: enumOf(["TEXT", "JSON"]),
  disableEnvoyListenerLog: bool(),
  enableTracing: bool(),
  defaultConfig,
  outboundTrafficPolicy: obj({ mode: enumOf(["REGISTRY_ONLY", "ALLOW_ANY", "ALLOW_ANY_DYNAMIC_DNS"]), tls: clientTls }),
  inboundTrafficPolicy: obj({ mode: enumOf(["PASSTHROUGH", "LOCALHOST"]) }),
  dnsRefreshRate: duration(),
  inboundClusterStatName: str(),
  outboundClusterStatName: str(),
  rootNamespace,
  localityLbSetting,
  zoneAwareLbSetting,
  discoverySelectors: list(labelSelector),
  serviceEntryVisibility: obj({
    defaultVisibility: visibility,
    applyToSidecars: bool(),
    policies: list(obj({ visibility, matchingRules: list(obj({ namespaceSelector: labelSelector })) })),
  }),
  h2UpgradePolicy: enumOf(["DO_NOT_UPGRADE", "UPGRADE"]),
  pathNormalization: obj({ normalization: enumOf(["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]) }),
  defaultTrafficPolicy: obj({ connectionPool, outlierDetection }),
  defaultHttpRetryPolicy: retries,
  enableAutoMtls: bool(),
  tlsDefaults: tlsSettings,
  meshMTLS: tlsSettings,
  trustDomain: str(),
  trustDomainAliases: list(str()),
  defaultInboundHttpRetryPolicy: retries,
  defaultServiceExportTo: exportTo,
  defaultVirtualServiceExportTo: exportTo,
  defaultDestinationRuleExportTo: exportTo,
  ...ignored(
    "hboneIdleTimeout", "ingressClass", "ingressService", "ingressControllerMode", "ingressSelector",
    "enableEnvoyAccessLogService", "configSources",
    "caCertificates",
    "certificates", "serviceSettings", "serviceScopeConfigs", "enablePrometheusMerge", "verifyCertificateAtClient", "ca", "extensionProviders",
    "defaultProviders",
  ), // prettier-ignore
});

/** Values that ask for what happens anyway. */
const HARMLESS: Readonly<Record<string, (value: unknown) => boolean>> = {
  enablePrometheusMerge: (value) => value === false,
  defaultProviders: (value) => Object.values((value ?? {}) as object).every((entry) => Array.isArray(entry) && entry.length === 0),
  extensionProviders: (value) => Array.isArray(value) && value.length === 0,
};

const REF = Object.freeze({ kind: "MeshConfig", namespace: "", name: "" });

export function parseMeshConfig(source: Source): ParsedMeshConfig {
  return parseConfig(source, { schema: meshConfigSchema, what: "a MeshConfig", inside: "" });
}

/** A ProxyConfig on its own, as the annotation `proxy.istio.io/config` holds it. */
export function parseProxyConfig(source: Source): ParsedMeshConfig {
  return parseConfig(source, { schema: defaultConfig, what: "a ProxyConfig", inside: "defaultConfig" });
}

interface Expected {
  readonly schema: ObjectSchema;
  readonly what: string;
  /** Where it stands in a MeshConfig. */
  readonly inside: string;
}

function parseConfig(source: Source, { schema, what, inside }: Expected): ParsedMeshConfig {
  const { documents } = splitDocuments(source.text, 2);
  const [first, second] = documents;
  if (first === undefined) return { value: Object.freeze({}), issues: [] };
  const document = readDocument(first, DEFAULT_LIMITS);
  const locate = locateIn(document, { file: source.file, limits: DEFAULT_LIMITS });
  if (document.problems.length > 0) {
    const issues = document.problems.map(({ message, fix, line, column }): Issue => ({
      code: CODE.yaml,
      severity: "error",
      message,
      fix,
      resource: REF,
      path: "",
      file: source.file,
      line,
      column,
    }));
    return { value: undefined, issues };
  }
  const report = createReport({ ref: () => REF, locate, limit: DEFAULT_LIMITS.issues });
  if (second !== undefined) report.error("", `${what} is one document`, "Remove the others.");
  const value = readValue(schema, document.value ?? {}, { path: "", report });
  if (report.failed()) return { value: undefined, issues: report.issues };
  warnWithoutEffect(schema, value, { path: "", inside, report });
  const config = value as {
    readonly outboundTrafficPolicy?: OutboundPolicySpec;
    readonly serviceEntryVisibility?: { readonly applyToSidecars?: boolean };
  };
  const visible = config.serviceEntryVisibility;
  if (visible !== undefined && visible.applyToSidecars !== true) {
    report.add("warning", {
      code: CODE.notYet,
      path: "serviceEntryVisibility",
      message: "serviceEntryVisibility without applyToSidecars is for ambient mode, which Serin does not have",
      fix: "Add applyToSidecars: true.",
    });
  }
  checkOutboundTls(config.outboundTrafficPolicy, report);
  if (report.failed()) return { value: undefined, issues: report.issues };
  return { value: value as Readonly<Record<string, unknown>>, issues: report.issues };
}

interface OutboundPolicySpec {
  readonly mode?: string;
  readonly tls?: { readonly mode?: string; readonly credentialName?: string };
}

/** Hosts outside the mesh know nothing of its identities, and sidecars have no credentials by name. */
function checkOutboundTls(policy: OutboundPolicySpec | undefined, report: Report): void {
  const { tls } = policy ?? {};
  if (tls === undefined) return;
  const path = "outboundTrafficPolicy.tls";
  if (policy?.mode !== "ALLOW_ANY_DYNAMIC_DNS")
    report.error(path, "tls needs mode ALLOW_ANY_DYNAMIC_DNS", "Set mode: ALLOW_ANY_DYNAMIC_DNS, or remove tls.");
  if (tls.mode === "ISTIO_MUTUAL") report.error(`${path}.mode`, "ISTIO_MUTUAL is for hosts of the mesh", "Write SIMPLE or MUTUAL.");
  if ((tls.credentialName ?? "") !== "")
    report.error(`${path}.credentialName`, "credentialName is for gateways", "Name files: clientCertificate, privateKey, caCertificates.");
}

interface Walk {
  readonly path: string;
  readonly inside: string;
  readonly report: Report;
}

function warnWithoutEffect(schema: Schema, value: unknown, { path, inside, report }: Walk): void {
  if (schema.type !== "object") return;
  for (const [name, entry] of Object.entries(value as object)) {
    const field = schema.fields[name];
    if (field === undefined) continue;
    const at = extendPath(path, name);
    if (!isIgnored(field)) warnWithoutEffect(field, entry, { path: at, inside, report });
    else if (HARMLESS[name]?.(entry) !== true) {
      const { says, fix } = reasonFor(inside === "" ? at : `${inside}.${at}`);
      report.add("warning", { code: CODE.notYet, path: at, message: `${name} ${says}`, fix });
    }
  }
}
