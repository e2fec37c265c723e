// Localities: how they are written, which labels stand for them, and which locality setting applies to a service
// (Istio pilot/pkg/networking/core/loadbalancer, pkg/model/proxy.go, serviceregistry/util/label).
import type { LoadBalancer, LocalityLb, ZoneAwareLb } from "./destination-rule.ts";
import type { MeshSettings } from "./mesh-settings.ts";
import type { Locality, Service } from "./service.ts";

export const NOWHERE: Locality = Object.freeze({ region: "", zone: "", subZone: "" });

const REGION = "topology.kubernetes.io/region";
const ZONE = "topology.kubernetes.io/zone";
const SUBZONE = "topology.istio.io/subzone";
const NETWORK = "topology.istio.io/network";
const CLUSTER = "topology.istio.io/cluster";
const HOSTNAME = "kubernetes.io/hostname";

/** `region/zone/subzone`; what is missing at the end is left out, and with a zone missing, its subzone too. */
export function localityText({ region, zone, subZone }: Locality): string {
  if (zone === "") return region;
  return subZone === "" ? `${region}/${zone}` : `${region}/${zone}/${subZone}`;
}

/** `region/zone/subzone` as written. */
export function splitLocality(text: string): Locality {
  if (text === "") return NOWHERE;
  const [region = "", zone = "", subZone = ""] = text.split("/");
  return { region, zone, subZone };
}

type Labels = Readonly<Record<string, string>>;

/** The label that names a locality; dots stand for slashes where there is no slash. */
export function labelledLocality(labels: Labels): string {
  return labels["topology.istio.io/locality"] ?? labels["istio-locality"] ?? "";
}

/** The topology labels that the registry gives a proxy; undefined when it has none. */
export function topologyLocality(labels: Labels): Locality | undefined {
  if (labels[REGION] === undefined && labels[ZONE] === undefined && labels[SUBZONE] === undefined) return undefined;
  return { region: labels[REGION] ?? "", zone: labels[ZONE] ?? "", subZone: labels[SUBZONE] ?? "" };
}

export interface Place {
  readonly locality: Locality;
  readonly network: string;
  readonly clusterId?: string;
  readonly node?: string;
}

/** Where a workload is, as labels beside its own: subsets, source labels and failoverPriority see them. */
export function withTopologyLabels(labels: Labels, place: Place): Labels {
  const { region, zone, subZone } = splitLocality(localityText(place.locality));
  const added: [string, string][] = [
    [REGION, region],
    [ZONE, zone],
    [SUBZONE, subZone],
    [CLUSTER, place.clusterId ?? ""],
    [HOSTNAME, place.node ?? ""],
    [NETWORK, labels[NETWORK] === undefined ? place.network : ""],
  ];
  const filled = added.filter(([, value]) => value !== "");
  return filled.length === 0 ? labels : { ...labels, ...Object.fromEntries(filled) };
}

/** failoverPriority entries are labels, or `label=value` with the value to use for the caller. */
export function failoverLabel(entry: string): string {
  return entry.split("=")[0] ?? "";
}

const PREFER: Readonly<Record<"zone" | "node", LocalityLb>> = {
  zone: { enabled: true, distribute: [], failover: [], failoverPriority: [NETWORK, REGION, ZONE] },
  node: { enabled: true, distribute: [], failover: [], failoverPriority: [NETWORK, REGION, ZONE, SUBZONE, HOSTNAME] },
};

/** Labels that a service's own preference compares. */
export const PREFERENCE_LABELS: readonly string[] = PREFER.node.failoverPriority;

/** What decides how near endpoints are preferred. */
export interface EffectiveLocality {
  readonly setting: LocalityLb | undefined;
  /** It applies without outlier detection. */
  readonly forced: boolean;
  /** In place of `setting`. */
  readonly zoneAware: ZoneAwareLb | undefined;
}

function byLocality(setting: LocalityLb | undefined, forced = false): EffectiveLocality {
  return { setting: setting?.enabled === true ? setting : undefined, forced, zoneAware: undefined };
}

function byZone(zoneAware: ZoneAwareLb): EffectiveLocality {
  return { setting: undefined, forced: zoneAware.enabled, zoneAware };
}

/** The rule's setting, else what the service prefers, else the mesh's; at each level zones beat localities. */
export function localitySetting(rule: LoadBalancer | undefined, service: Service, mesh: MeshSettings): EffectiveLocality {
  if (rule?.zoneAwareLb !== undefined) return byZone(rule.zoneAwareLb);
  if (rule?.localityLb !== undefined) return byLocality(rule.localityLb);
  if (service.trafficDistribution !== undefined) return byLocality(PREFER[service.trafficDistribution], true);
  return mesh.zoneAwareLb === undefined ? byLocality(mesh.localityLb) : byZone(mesh.zoneAwareLb);
}
