// ProxyConfig.connectionSettings: limits of callers' connections and what their headers and paths may look like
// (Istio networking/core/connection_settings.go; newer than istiod 1.29).
import {
  type HttpConnectionManager,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
  HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores,
  toDuration,
} from "../../envoy-api/index.ts";
import type { ConfigView, ConnectionSettings } from "../../model/index.ts";

/** What Envoy advises at the edge. */
const EDGE: Omit<ConnectionSettings, "edge"> = Object.freeze({
  listenerBufferBytes: 32_768,
  idleTimeoutMs: 3_600_000,
  streamIdleTimeoutMs: 300_000,
  requestTimeoutMs: 300_000,
  requestHeadersTimeoutMs: 60_000,
  maxConcurrentStreams: 100,
  streamWindow: 65_536,
  connectionWindow: 1_048_576,
  headersWithUnderscores: "REJECT_REQUEST",
  mergeSlashes: true,
  escapedSlashes: "UNESCAPE_AND_REDIRECT",
});

/** The profile EDGE is for gateways. */
export function connectionSettingsOf({ mesh, scope }: ConfigView): Omit<ConnectionSettings, "edge"> {
  const own = mesh.connectionSettings;
  return own.edge && scope.type === "router" ? { ...EDGE, ...own } : own;
}

function duration(name: string, ms: number | undefined): object {
  return ms === undefined ? {} : { [name]: toDuration(ms) };
}

function number(name: string, value: number | undefined): object {
  return value === undefined ? {} : { [name]: value };
}

/** What an HTTP connection manager has of it, over what it has otherwise; `idleTimeoutMs`: the proxy's own word on that. */
export function connectionOptions(view: ConfigView): Partial<HttpConnectionManager> {
  const settings = connectionSettingsOf(view);
  const common = {
    ...duration("idleTimeout", settings.idleTimeoutMs ?? view.scope.idleTimeoutMs),
    ...duration("maxConnectionDuration", settings.maxConnectionDurationMs),
    ...duration("maxStreamDuration", settings.maxStreamDurationMs),
    ...(settings.headersWithUnderscores === undefined
      ? {}
      : { headersWithUnderscoresAction: Underscores[settings.headersWithUnderscores] }),
  };
  const http2 = {
    ...number("maxConcurrentStreams", settings.maxConcurrentStreams),
    ...number("initialStreamWindowSize", settings.streamWindow),
    ...number("initialConnectionWindowSize", settings.connectionWindow),
  };
  return {
    ...(Object.keys(common).length === 0 ? {} : { commonHttpProtocolOptions: common }),
    ...(Object.keys(http2).length === 0 ? {} : { http2ProtocolOptions: http2 }),
    ...duration("streamIdleTimeout", settings.streamIdleTimeoutMs ?? 0),
    ...duration("requestTimeout", settings.requestTimeoutMs),
    ...duration("requestHeadersTimeout", settings.requestHeadersTimeoutMs),
    ...duration("drainTimeout", settings.drainTimeoutMs),
    ...(settings.mergeSlashes === undefined ? {} : { mergeSlashes: settings.mergeSlashes }),
    ...(settings.escapedSlashes === undefined ? {} : { pathWithEscapedSlashesAction: Slashes[settings.escapedSlashes] }),
  } as Partial<HttpConnectionManager>;
}
