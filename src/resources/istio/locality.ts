// LocalityLoadBalancerSetting and ZoneAwareLoadBalancerSetting (istio ValidateLocalityLbSetting, ValidateZoneAwareLbSetting).
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { bool, int, list, map, obj, type ObjectSchema, str, uint32 } from "../schema/schema.ts";

interface Failover {
  readonly from?: string;
  readonly to?: string;
}

interface LocalitySpec {
  readonly distribute?: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[];
  readonly failover?: readonly Failover[];
  readonly failoverPriority?: readonly string[];
}

const TOPOLOGY = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];
const failover = list(obj({ from: str(), to: str() }));

export const localityLbSetting: ObjectSchema = obj<LocalitySpec>(
  { distribute: list(obj({ from: str(), to: map(uint32()) })), failover, failoverPriority: list(str()), enabled: bool() },
  {
    check: (value, path, report) => {
      const failovers = value.failover ?? [];
      if ((value.distribute ?? []).length > 0 && failovers.length > 0) {
        report.error(joinPath(path, "failover"), "distribute and failover exclude each other", "Keep one of them.");
        return;
      }
      const priority = (value.failoverPriority ?? []).find((label) => TOPOLOGY.includes(label));
      if (failovers.length > 0 && priority !== undefined) {
        report.error(
          joinPath(path, "failoverPriority"),
          `failover and the topology label ${priority} exclude each other`,
          "Keep one of them.",
        );
      }
      checkDistribute(value, joinPath(path, "distribute"), report);
      checkFailovers(failovers, joinPath(path, "failover"), report);
    },
  },
);

export const zoneAwareLbSetting: ObjectSchema = obj<LocalitySpec>(
  { enabled: bool(), failover, failoverPriority: list(str()), minClusterSize: int({ min: 1 }) },
  {
    check: (value, path, report) => {
      const priority = (value.failoverPriority ?? []).find((label) => TOPOLOGY.includes(label));
      if (priority !== undefined)
        report.error(joinPath(path, "failoverPriority"), `the topology label ${priority} is handled by itself here`, "Remove it.");
      checkFailovers(value.failover ?? [], joinPath(path, "failover"), report);
    },
  },
);

function checkDistribute(value: LocalitySpec, path: string, report: Report): void {
  for (const [index, entry] of (value.distribute ?? []).entries()) {
    const at = joinPath(joinPath(path, index), "to");
    const shares = Object.entries(entry.to ?? {});
    for (const [locality, share] of shares) {
      if (share < 1 || share > 100) report.error(joinPath(at, locality), `a share is from 1 to 100, but this is ${share}`);
    }
    const total = shares.reduce((sum, [, share]) => sum + share, 0);
    if (total !== 100) report.error(at, `the shares add up to ${total}, not 100`, "Make them add up to 100.");
    checkLocalities(narrowFirst(shares.map(([locality]) => locality)), at, report);
  }
  checkLocalities(
    (value.distribute ?? []).map((entry) => entry.from ?? ""),
    path,
    report,
  );
}

/** Forms: `region`, `region/zone`, `region/zone/subzone`, `*` at the end only; none may be covered by an earlier one. */
function checkLocalities(localities: readonly string[], path: string, report: Report): void {
  const seen: string[] = [];
  for (const locality of localities) {
    const star = locality.indexOf("*");
    if (star !== -1 && star !== locality.length - 1) report.error(path, `in the locality ${locality}, * stands only at the end`);
    else if (locality.split("/").slice(0, 3).includes(""))
      report.error(path, `the locality ${JSON.stringify(locality)} has an empty part`, "Write region/zone/subzone.");
    else {
      if (seen.some((earlier) => excludes(earlier, locality)))
        report.error(path, `the locality ${locality} overlaps with an earlier one`, "Remove one of them, or write the narrower one first.");
      seen.push(locality);
    }
  }
}

/** Part by part, `*` covers the rest; a whole region or zone also takes no part after some of it. */
function excludes(earlier: string, later: string): boolean {
  const [before, after] = [earlier.split("/"), later.split("/")];
  for (const [index, part] of before.entries()) {
    if (part === "*") return true;
    if (after[index] === undefined) return true;
    if (after[index] !== part) return false;
  }
  return true;
}

/** `to` is a map, which has no order: the narrower localities count first. */
function narrowFirst(localities: readonly string[]): readonly string[] {
  const wildcards = localities.filter((locality) => locality.endsWith("*")).sort((a, b) => b.split("/").length - a.split("/").length);
  return [...localities.filter((locality) => !locality.endsWith("*")), ...wildcards];
}

function checkFailovers(failovers: readonly Failover[], path: string, report: Report): void {
  for (const [index, { from = "", to = "" }] of failovers.entries()) {
    const at = joinPath(path, index);
    if (from === to) report.error(at, "from and to are the same region", "Name another region.");
    if (`${from}${to}`.includes("/")) report.error(at, "failover names regions only", "Remove zone and subzone.");
    if (`${from}${to}`.includes("*")) report.error(at, "failover has no wildcards", "Name the region.");
  }
}
