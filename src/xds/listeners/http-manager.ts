// The HTTP connection manager as Istio sets it up (networking/core/listener_builder.go, gateway.go).
import {
  create,
  type Filter,
  FilterSchema,
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as ClientCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
  HttpConnectionManagerSchema,
  packAny,
  type RouteConfiguration,
} from "../../envoy-api/index.ts";
import type { ConfigView } from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { http1Options } from "../http1-options.ts";
import { buildHttpFilters } from "../http-filters/order.ts";
import { buildAccessLogs } from "./access-log.ts";
import { connectionOptions } from "./connection-settings.ts";

export interface HttpManagerOptions {
  readonly view: ConfigView;
  readonly side: "outbound" | "inbound" | "gateway";
  /** Name of the RDS resource, or the routes themselves. */
  readonly routes: string | RouteConfiguration;
  readonly statPrefix: string;
  /** Of the port or server that the listener is made for. */
  readonly protocol: string;
  /** The explicit proxy takes absolute-form requests. */
  readonly absoluteUrl?: boolean;
  /** Some route may go to the host that a request names. */
  readonly byName?: boolean;
}

function pathOptions(view: ConfigView): Partial<HttpConnectionManager> {
  const level = view.mesh.pathNormalization;
  if (level === "NONE") return {};
  return {
    normalizePath: true,
    ...(level === "BASE" ? {} : { mergeSlashes: true }),
    ...(level === "DECODE_AND_MERGE_SLASHES" ? { pathWithEscapedSlashesAction: Slashes.UNESCAPE_AND_FORWARD } : {}),
  } as Partial<HttpConnectionManager>;
}

const FORWARD: Readonly<Record<string, ClientCert>> = {
  SANITIZE: ClientCert.SANITIZE,
  FORWARD_ONLY: ClientCert.FORWARD_ONLY,
  APPEND_FORWARD: ClientCert.APPEND_FORWARD,
  SANITIZE_SET: ClientCert.SANITIZE_SET,
  ALWAYS_FORWARD_ONLY: ClientCert.ALWAYS_FORWARD_ONLY,
};

/** With these the proxy says what certificate the caller showed. */
const SETS_CERT: ReadonlySet<ClientCert> = new Set([ClientCert.APPEND_FORWARD, ClientCert.SANITIZE_SET]);

/** Outbound answers say `envoy`, Envoy's own default, the others `istio-envoy`. */
function serverOptions({ view, side }: HttpManagerOptions): object {
  const { disabled, value } = view.mesh.proxyHeaders.server;
  if (disabled) return { serverHeaderTransformation: ServerHeader.PASS_THROUGH };
  return { serverName: value !== "" ? value : side === "outbound" ? "" : "istio-envoy" };
}

function sideOptions({ view, side }: HttpManagerOptions): object {
  const { mesh } = view;
  switch (side) {
    case "gateway": {
      const forward = FORWARD[mesh.forwardClientCertDetails] ?? ClientCert.SANITIZE_SET;
      return {
        useRemoteAddress: true,
        xffNumTrustedHops: mesh.numTrustedProxies,
        forwardClientCertDetails: forward,
        ...(SETS_CERT.has(forward) ? { setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true } } : {}),
      };
    }
    case "inbound":
      return {
        useRemoteAddress: false,
        forwardClientCertDetails: FORWARD[mesh.proxyHeaders.forwardedClientCert] ?? ClientCert.APPEND_FORWARD,
        setCurrentClientCertDetails: mesh.proxyHeaders.clientCertDetails,
      };
    case "outbound":
      return { useRemoteAddress: false };
  }
}

/** Without a provider nothing is reported; the decorator's operation goes to the other side all the same. */
function tracingOptions(view: ConfigView): object {
  const percent = view.mesh.traceSamplingPercent;
  if (percent === undefined) return {};
  return { tracing: { clientSampling: { value: 100 }, randomSampling: { value: percent }, overallSampling: { value: 100 } } };
}

export function buildHttpManager(options: HttpManagerOptions): Filter {
  const { view, routes } = options;
  const { mesh, scope } = view;
  const http1 = {
    ...http1Options(mesh),
    ...(scope.http10 || mesh.http10 ? { acceptHttp10: true } : {}),
    ...(options.absoluteUrl === true ? { allowAbsoluteUrl: true } : {}),
  };
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: options.statPrefix,
    routeSpecifier:
      typeof routes === "string"
        ? { case: "rds", value: { configSource: adsSource({ waitForever: true }), routeConfigName: routes } }
        : { case: "routeConfig", value: routes },
    httpFilters: buildHttpFilters(mesh, { protocol: options.protocol, byName: options.byName === true }),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    // `expect: 100-continue` is the upstream's to answer.
    proxy100Continue: true,
    appendXForwardedPort: mesh.proxyHeaders.xForwardedPort,
    accessLog: buildAccessLogs(mesh),
    generateRequestId: !mesh.proxyHeaders.requestIdDisabled,
    ...(Object.keys(http1).length === 0 ? {} : { httpProtocolOptions: http1 }),
    ...pathOptions(view),
    ...connectionOptions(view),
    ...tracingOptions(view),
    ...serverOptions(options),
    ...sideOptions(options),
  } as never);
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: packAny(HttpConnectionManagerSchema, manager) },
  });
}
