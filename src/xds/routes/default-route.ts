// The route of a service that no VirtualService covers, and what answers for hosts that no virtual host has.
import { create, type Route, RouteSchema, toDuration, type VirtualHost, VirtualHostSchema } from "../../envoy-api/index.ts";
import {
  BLACK_HOLE_CLUSTER,
  type ConfigView,
  DYNAMIC_CLUSTER,
  type MeshSettings,
  outboundCluster,
  PASSTHROUGH_CLUSTER,
  type ServiceView,
} from "../../model/index.ts";
import { buildHashPolicy } from "./hash-policy.ts";
import { defaultRetryPolicy } from "./retry.ts";

export function buildDefaultRoute({ service, destinationRule }: ServiceView, port: number, mesh: MeshSettings): Route {
  const key = destinationRule?.hashKeyFor(port, "");
  const retryPolicy = defaultRetryPolicy(mesh);
  return create(RouteSchema, {
    name: "default",
    match: { pathSpecifier: { case: "prefix", value: "/" } },
    action: {
      case: "route",
      value: {
        clusterSpecifier: { case: "cluster", value: outboundCluster(service.hostname, port) },
        timeout: toDuration(0),
        maxGrpcTimeout: toDuration(0),
        ...(key === undefined ? {} : { hashPolicy: [buildHashPolicy(key)] }),
        ...(retryPolicy === undefined ? {} : { retryPolicy }),
      },
    },
    decorator: { operation: `${service.hostname}:${port}/*` },
  });
}

/** Hosts outside the registry: passed through, called by the name that the request has, sent to the Sidecar's egress proxy, or refused with 502. */
export function buildCatchAllHost(view: ConfigView): VirtualHost {
  const { proxyHeaders } = view.mesh;
  const blocks = view.outboundTrafficPolicy === "REGISTRY_ONLY";
  const dynamic = view.outboundTrafficPolicy === "ALLOW_ANY_DYNAMIC_DNS";
  const name = blocks ? "block_all" : dynamic ? "allow_any_dynamic_dns" : "allow_any";
  return create(VirtualHostSchema, {
    name,
    domains: ["*"],
    includeRequestAttemptCount: !proxyHeaders.attemptCountDisabled,
    routes: [
      {
        name,
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: blocks
          ? { case: "directResponse", value: { status: 502 } }
          : {
              case: "route",
              value: {
                clusterSpecifier: { case: "cluster", value: dynamic ? DYNAMIC_CLUSTER : outsideCluster(view) },
                timeout: toDuration(0),
                maxGrpcTimeout: toDuration(0),
                ...(proxyHeaders.xForwardedHost ? { appendXForwardedHost: true } : {}),
              },
            },
      },
    ],
  });
}

/** Where connections to unknown destinations go, and requests unless they go by name. */
export function outsideCluster(view: ConfigView): string {
  if (view.outboundTrafficPolicy === "REGISTRY_ONLY") return BLACK_HOLE_CLUSTER;
  const { egressProxy } = view;
  return egressProxy === undefined ? PASSTHROUGH_CLUSTER : outboundCluster(egressProxy.host, egressProxy.port ?? 0, egressProxy.subset);
}
