// How a cluster's endpoints share the requests, and which are left out for a while
// (Istio networking/core/cluster_traffic_policy.go applyLoadBalancer, applyOutlierDetection).
import { type Cluster, Cluster_LbPolicy as Lb, ClusterSchema, create, toDuration } from "../../envoy-api/index.ts";
import {
  type LoadBalancer,
  localitySetting,
  type MeshSettings,
  type OutlierDetection,
  type Service,
  type ServicePort,
  type TrafficPolicy,
  type ZoneAwareLb,
} from "../../model/index.ts";

export interface BalancingInput {
  readonly policy: TrafficPolicy | undefined;
  readonly service: Service;
  readonly mesh: MeshSettings;
  /** Endpoints are wherever connections were going: nothing is balanced. */
  readonly originalDestination: boolean;
  readonly port: ServicePort;
}

function slowStart(warmup: LoadBalancer["warmup"]): object {
  if (warmup === undefined) return {};
  return {
    slowStartConfig: {
      slowStartWindow: toDuration(warmup.durationMs),
      // Envoy wants a runtime key; nothing sets it.
      aggression: { defaultValue: warmup.aggression, runtimeKey: "(" },
      minWeightPercent: { value: warmup.minimumPercent },
    },
  };
}

function ofHash({ algorithm }: NonNullable<LoadBalancer["consistentHash"]>): object {
  if (algorithm.kind === "maglev") {
    const value = algorithm.tableSize === undefined ? {} : { tableSize: BigInt(algorithm.tableSize) };
    return { lbPolicy: Lb.MAGLEV, lbConfig: { case: "maglevLbConfig", value } };
  }
  return { lbPolicy: Lb.RING_HASH, lbConfig: { case: "ringHashLbConfig", value: { minimumRingSize: BigInt(algorithm.minimumRingSize) } } };
}

function balancer(loadBalancer: LoadBalancer | undefined): object {
  if (loadBalancer?.consistentHash !== undefined) return ofHash(loadBalancer.consistentHash);
  const warmup = loadBalancer?.warmup;
  switch (loadBalancer?.simple) {
    case "RANDOM":
      return { lbPolicy: Lb.RANDOM };
    case "ROUND_ROBIN":
      return {
        lbPolicy: Lb.ROUND_ROBIN,
        ...(warmup === undefined ? {} : { lbConfig: { case: "roundRobinLbConfig", value: slowStart(warmup) } }),
      };
    default:
      return {
        lbPolicy: Lb.LEAST_REQUEST,
        ...(warmup === undefined ? {} : { lbConfig: { case: "leastRequestLbConfig", value: slowStart(warmup) } }),
      };
  }
}

/** Off must be said: a proxy that knows its own cluster keeps to zones by itself. */
function zoneConfig({ enabled, minClusterSize }: ZoneAwareLb): object {
  return {
    ...(enabled ? {} : { routingEnabled: { value: 0 } }),
    ...(minClusterSize === undefined ? {} : { minClusterSize: BigInt(minClusterSize) }),
  };
}

/** The address stays, the port may be another. */
function toOriginal({ passthroughPort }: ServicePort): object {
  const value = { upstreamPortOverride: passthroughPort };
  return {
    lbPolicy: Lb.CLUSTER_PROVIDED,
    ...(passthroughPort === undefined ? {} : { lbConfig: { case: "originalDstLbConfig", value } }),
  };
}

function common({ policy, service, mesh }: BalancingInput): object | undefined {
  const outliers = policy?.outlierDetection;
  const { setting, forced, zoneAware } = localitySetting(policy?.loadBalancer, service, mesh);
  const failsOver = (forced || outliers !== undefined) && (setting?.failover.length ?? 0) + (setting?.failoverPriority.length ?? 0) > 0;
  const weighted = failsOver || (setting?.distribute.length ?? 0) > 0;
  // Sick endpoints are sent where a service prefers near ones: panic would use them. Otherwise 0 switches panic off, which is also Istio's default.
  const panic = service.trafficDistribution !== undefined ? 0 : outliers === undefined ? undefined : (outliers.minHealthPercent ?? 0);
  if (!weighted && panic === undefined && zoneAware === undefined) return undefined;
  return {
    ...(panic === undefined ? {} : { healthyPanicThreshold: { value: panic } }),
    ...(weighted ? { localityConfigSpecifier: { case: "localityWeightedLbConfig", value: {} } } : {}),
    ...(zoneAware === undefined ? {} : { localityConfigSpecifier: { case: "zoneAwareLbConfig", value: zoneConfig(zoneAware) } }),
  };
}

function ofOutliers(outliers: OutlierDetection): object {
  const { consecutive5xxErrors: errors, consecutiveGatewayErrors: gateway, consecutiveLocalOriginFailures: local } = outliers;
  const split = outliers.splitExternalLocalOriginErrors;
  return {
    // Istio counts errors in a row only.
    enforcingSuccessRate: 0,
    ...(errors === undefined ? {} : { consecutive5xx: errors, enforcingConsecutive5xx: errors > 0 ? 100 : 0 }),
    ...(gateway === undefined ? {} : { consecutiveGatewayFailure: gateway, enforcingConsecutiveGatewayFailure: gateway > 0 ? 100 : 0 }),
    ...(outliers.intervalMs === undefined ? {} : { interval: toDuration(outliers.intervalMs) }),
    ...(outliers.baseEjectionTimeMs === undefined ? {} : { baseEjectionTime: toDuration(outliers.baseEjectionTimeMs) }),
    ...((outliers.maxEjectionPercent ?? 0) > 0 ? { maxEjectionPercent: outliers.maxEjectionPercent } : {}),
    ...(split
      ? {
          splitExternalLocalOriginErrors: true,
          enforcingLocalOriginSuccessRate: 0,
          ...((local ?? 0) > 0 ? { consecutiveLocalOriginFailure: local, enforcingConsecutiveLocalOriginFailure: 100 } : {}),
        }
      : {}),
  };
}

export type Balancing = Pick<Cluster, "lbPolicy" | "lbConfig" | "commonLbConfig" | "outlierDetection">;

export function buildBalancing(input: BalancingInput): Balancing {
  const { policy } = input;
  const commonLbConfig = common(input);
  const built = create(ClusterSchema, {
    ...(input.originalDestination ? toOriginal(input.port) : balancer(policy?.loadBalancer)),
    ...(commonLbConfig === undefined ? {} : { commonLbConfig }),
    ...(policy?.outlierDetection === undefined ? {} : { outlierDetection: ofOutliers(policy.outlierDetection) }),
  } as never) as Cluster;
  const { lbPolicy, lbConfig, outlierDetection } = built;
  return {
    lbPolicy,
    lbConfig,
    ...(built.commonLbConfig === undefined ? {} : { commonLbConfig: built.commonLbConfig }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
  };
}
