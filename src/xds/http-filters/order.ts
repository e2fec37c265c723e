// HTTP filters in the order in which a request meets them (Istio pilot/pkg/networking/core/listener_builder.go). One literal array:
// a filter that is not built for a proxy is left out of its place, never moved. Istio's own extensions (istio.alpn, istio.stats, …) are not
// in Envoy's release and have no place here.
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import {
  CorsSchema,
  create,
  DynamicForwardProxySchema,
  GrpcStatsSchema,
  GrpcWebSchema,
  HTTPFaultSchema,
  type HttpFilter,
  HttpFilterSchema,
  packAny,
  RouterSchema,
} from "../../envoy-api/index.ts";
import type { MeshSettings } from "../../model/index.ts";
import { dnsCache } from "../dns-cache.ts";
import { CORS_FILTER, FAULT_FILTER } from "./names.ts";

function filter<Desc extends DescMessage>(name: string, schema: Desc, config: MessageShape<Desc>): HttpFilter {
  return create(HttpFilterSchema, { name, configType: { case: "typedConfig", value: packAny(schema, config) } });
}

/** Only where the port's protocol is GRPC-WEB: in front of all others, so that these see gRPC. */
const GRPC_WEB = filter("envoy.filters.http.grpc_web", GrpcWebSchema, create(GrpcWebSchema));

/** Routes switch fault and cors on with a config of their own; without one these two let everything pass. */
const ORDER: readonly HttpFilter[] = [
  filter(
    "envoy.filters.http.grpc_stats",
    GrpcStatsSchema,
    create(GrpcStatsSchema, { emitFilterState: true, perMethodStatSpecifier: { case: "statsForAllMethods", value: { value: false } } }),
  ),
  filter(FAULT_FILTER, HTTPFaultSchema, create(HTTPFaultSchema)),
  filter(CORS_FILTER, CorsSchema, create(CorsSchema)),
];

/** Only where routes may lead to clusters whose hosts requests name. */
const DYNAMIC_FORWARD_PROXY = filter(
  "envoy.filters.http.dynamic_forward_proxy",
  DynamicForwardProxySchema,
  create(DynamicForwardProxySchema, { implementationSpecifier: { case: "dnsCacheConfig", value: dnsCache() } }),
);

export interface HttpFilterChoice {
  /** Of the port or server that the listener was made for. */
  readonly protocol: string;
  /** Some route may go to the host that a request names. */
  readonly byName: boolean;
}

/** The same for sidecars, both ways, and gateways. */
export function buildHttpFilters(mesh: MeshSettings, { protocol, byName }: HttpFilterChoice): HttpFilter[] {
  const router = create(RouterSchema, { suppressEnvoyHeaders: mesh.proxyHeaders.envoyDebugHeadersDisabled });
  const own = [...(protocol === "GRPC-WEB" ? [GRPC_WEB] : []), ...ORDER, ...(byName ? [DYNAMIC_FORWARD_PROXY] : [])];
  return [...own, filter("envoy.filters.http.router", RouterSchema, router)];
}
