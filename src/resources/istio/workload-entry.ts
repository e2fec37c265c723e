// WorkloadEntry, alone and as an endpoint of a ServiceEntry (https://istio.io/latest/docs/reference/config/networking/workload-entry/).
import { labels, must, port } from "../checks/fields.ts";
import { fqdnProblem, isDnsLabel, isIpAddress, unixPathProblem } from "../checks/names.ts";
import { joinPath } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { map, obj, type ObjectSchema, type Rule, type Schema, str, uint32 } from "../schema/schema.ts";

export interface WorkloadEntrySpec {
  readonly address?: string;
  readonly network?: string;
  readonly ports?: Readonly<Record<string, number>>;
}

function socketProblem(address: string): string | undefined {
  return address.startsWith("unix://") ? unixPathProblem(address.slice(7)) : undefined;
}

const ports = map(port, {
  max: 128,
  check: (value, path, report) => {
    for (const name of Object.keys(value)) {
      if (!isDnsLabel(name) || name.length > 62)
        report.error(joinPath(path, name), `${JSON.stringify(name)} is no port name`, "Use the name of the service's port.");
    }
  },
});

export const workloadEntryFields: Readonly<Record<string, Schema>> = {
  address: str({ max: 256, check: must(socketProblem, "Write unix:///absolute/path or unix://@name.") }),
  ports,
  labels: labels({ max: 256 }),
  network: str({ max: 2048 }),
  locality: str({ max: 2048 }),
  weight: uint32(),
  serviceAccount: str({ max: 253 }),
};

export const noPortsOnSocket: Rule = {
  message: "a unix socket has no ports",
  test: (self) => !String(self["address"] ?? "").startsWith("unix://") || self["ports"] === undefined,
  field: "ports",
  fix: "Remove ports.",
};

const needsAddress: Rule = {
  message: "address is required",
  test: (self) => self["address"] !== undefined || self["network"] !== undefined,
  fix: "Add the address.",
};

export const workloadEntrySchema: ObjectSchema = obj(workloadEntryFields, { rules: [needsAddress, noPortsOnSocket] });

export const checkWorkloadEntry: ResourceCheck<WorkloadEntrySpec> = (spec, { report }) =>
  checkAddress(spec, { path: "spec", report, namesAllowed: true });

/** An IP address or socket; with `namesAllowed` a DNS name too. */
export function checkAddress(
  spec: WorkloadEntrySpec,
  at: { readonly path: string; readonly report: Report; readonly namesAllowed: boolean },
): void {
  const address = spec.address ?? "";
  const path = joinPath(at.path, "address");
  if (address === "") {
    if ((spec.network ?? "") === "") at.report.error(path, "address is required", "Add the address.");
    else
      at.report.warning(
        path,
        `the address is empty; the network ${spec.network} must have a gateway`,
        "Add the address if it can be reached.",
      );
    return;
  }
  if (address.startsWith("unix://") || isIpAddress(address)) return;
  if (!at.namesAllowed) at.report.error(path, `${JSON.stringify(address)} is no IP address`, "Write an address, or use resolution DNS.");
  else if (fqdnProblem(address) !== undefined)
    at.report.error(path, `${JSON.stringify(address)} is neither an IP address nor a DNS name`, "Write one of them.");
}
