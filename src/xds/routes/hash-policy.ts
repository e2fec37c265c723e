// What the requests of a route are hashed by (Istio networking/core/route/route.go consistentHashToHashPolicy).
import { create, RouteAction_HashPolicySchema, type RouteAction_HashPolicy, toDuration } from "../../envoy-api/index.ts";
import type { ConsistentHashKey } from "../../model/index.ts";

export function buildHashPolicy(key: ConsistentHashKey): RouteAction_HashPolicy {
  return create(RouteAction_HashPolicySchema, { policySpecifier: specifierOf(key) } as never) as RouteAction_HashPolicy;
}

function specifierOf(key: ConsistentHashKey): object {
  switch (key.kind) {
    case "header":
      return { case: "header", value: { headerName: key.name } };
    case "cookie":
      return {
        case: "cookie",
        value: {
          name: key.name,
          path: key.path,
          attributes: key.attributes.map(([name, value]) => ({ name, value })),
          ...(key.ttlMs === undefined ? {} : { ttl: toDuration(key.ttlMs) }),
        },
      };
    case "sourceIp":
      return { case: "connectionProperties", value: { sourceIp: true } };
    case "queryParameter":
      return { case: "queryParameter", value: { name: key.name } };
  }
}
