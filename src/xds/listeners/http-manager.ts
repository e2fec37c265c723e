// The HTTP connection manager as Istio sets it up (networking/core/listener_builder.go, gateway.go).
import {
  create,
  type Filter,
  FilterSchema,
  type HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertDetails as ClientCert,
  HttpConnectionManager_PathWithEscapedSlashesAction as Slashes,
  HttpConnectionManagerSchema,
  packAny,
  type RouteConfiguration,
  toDuration,
} from "../../envoy-api/index.ts";
import type { ConfigView } from "../../model/index.ts";
import { adsSource } from "../config-source.ts";
import { buildHttpFilters } from "../http-filters/order.ts";
import { buildAccessLogs } from "./access-log.ts";

export interface HttpManagerOptions {
  readonly view: ConfigView;
  readonly side: "outbound" | "inbound" | "gateway";
  /** Name of the RDS resource, or the routes themselves. */
  readonly routes: string | RouteConfiguration;
  readonly statPrefix: string;
  /** The explicit proxy takes absolute-form requests. */
  readonly absoluteUrl?: boolean;
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

const CERT_DETAILS = { subject: true, cert: true, dns: true, uri: true };

function sideOptions({ view, side }: HttpManagerOptions): object {
  const { mesh } = view;
  const server = mesh.proxyHeaders.server;
  const serverName = server.value === "" ? "istio-envoy" : server.value;
  switch (side) {
    case "gateway": {
      const forward = FORWARD[mesh.forwardClientCertDetails] ?? ClientCert.SANITIZE_SET;
      const says = forward === ClientCert.APPEND_FORWARD || forward === ClientCert.SANITIZE_SET;
      return {
        useRemoteAddress: true,
        xffNumTrustedHops: mesh.numTrustedProxies,
        forwardClientCertDetails: forward,
        ...(says ? { setCurrentClientCertDetails: CERT_DETAILS } : {}),
        serverName,
      };
    }
    case "inbound":
      return {
        useRemoteAddress: false,
        forwardClientCertDetails: ClientCert.APPEND_FORWARD,
        setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
        serverName,
      };
    case "outbound":
      return { useRemoteAddress: false };
  }
}

export function buildHttpManager(options: HttpManagerOptions): Filter {
  const { view, routes } = options;
  const { mesh, scope } = view;
  const http1 = {
    ...(scope.http10 ? { acceptHttp10: true } : {}),
    ...(options.absoluteUrl === true ? { allowAbsoluteUrl: true } : {}),
  };
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: options.statPrefix,
    routeSpecifier:
      typeof routes === "string"
        ? { case: "rds", value: { configSource: adsSource({ waitForever: true }), routeConfigName: routes } }
        : { case: "routeConfig", value: routes },
    httpFilters: buildHttpFilters(),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    streamIdleTimeout: toDuration(0),
    accessLog: buildAccessLogs(mesh),
    generateRequestId: !mesh.proxyHeaders.requestIdDisabled,
    ...(Object.keys(http1).length === 0 ? {} : { httpProtocolOptions: http1 }),
    ...pathOptions(view),
    ...sideOptions(options),
  } as never);
  return create(FilterSchema, {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: packAny(HttpConnectionManagerSchema, manager) },
  });
}
