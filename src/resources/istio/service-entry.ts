// ServiceEntry in v1, v1beta1, v1alpha3 (https://istio.io/latest/docs/reference/config/networking/service-entry/, istio ValidateServiceEntry).
import { must, port, portName, portOrZero, protocolName, subnet } from "../checks/fields.ts";
import {
  fqdnProblem,
  isHttpProtocol,
  isIpAddress,
  isPartialWildcard,
  isTlsProtocol,
  parseProtocol,
  wildcardDomainProblem,
} from "../checks/names.ts";
import { extendPath, pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { enumOf, list, obj, req, type Rule, type Schema, str } from "../schema/schema.ts";
import { checkExportTo, exportTo } from "./export-to.ts";
import { labelsSelector } from "./selectors.ts";
import { checkAddress, workloadEntrySchema, type WorkloadEntrySpec } from "./workload-entry.ts";

interface PortSpec {
  readonly number: number;
  readonly name: string;
  readonly protocol?: string;
}

interface ServiceEntryShape {
  readonly hosts: readonly string[];
  readonly addresses?: readonly string[];
  readonly ports?: readonly PortSpec[];
  readonly resolution?: string;
  readonly endpoints?: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: unknown;
  readonly location?: string;
  readonly exportTo?: readonly string[];
}

function hostProblem(host: string): string | undefined {
  return host === "*" ? "a ServiceEntry cannot be for every host" : wildcardDomainProblem(host);
}

const ports = list(
  obj({ number: req(port), name: req(withMax(portName, 256)), protocol: withMax(protocolName, 256), targetPort: portOrZero }),
  {
    max: 256,
    check: (value, path, report) => {
      const entries = value as readonly PortSpec[];
      for (const [index, entry] of entries.entries()) {
        const earlier = entries.slice(0, index);
        if (earlier.some((other) => other.name === entry.name))
          report.error(extendPath(path, index, "name"), `the port name ${entry.name} stands twice`, "Give each port its own name.");
        if (earlier.some((other) => other.number === entry.number))
          report.error(extendPath(path, index, "number"), `the port ${entry.number} stands twice`, "Remove one of the two.");
      }
    },
  },
);

function withMax(schema: Schema & { readonly type: "string" }, max: number): Schema {
  return { ...schema, max };
}

const RULES: readonly Rule[] = [
  {
    message: "only one of workloadSelector and endpoints can be set",
    test: (self) => self["workloadSelector"] === undefined || self["endpoints"] === undefined,
    field: "workloadSelector",
    fix: "Keep one of them.",
  },
  {
    message: "CIDR addresses are allowed only for resolution NONE and STATIC",
    test: (self) =>
      !((self["addresses"] ?? []) as readonly string[]).some((address) => address.includes("/")) ||
      ["NONE", "STATIC"].includes(String(self["resolution"] ?? "NONE")),
    field: "addresses",
    fix: "Write single addresses, or use resolution NONE or STATIC.",
  },
  {
    message: "resolution NONE has no endpoints",
    test: (self) => String(self["resolution"] ?? "NONE") !== "NONE" || self["endpoints"] === undefined,
    field: "endpoints",
    fix: "Set resolution: STATIC, or remove endpoints.",
  },
  {
    message: "resolution DNS_ROUND_ROBIN has one endpoint at most",
    test: (self) => self["resolution"] !== "DNS_ROUND_ROBIN" || ((self["endpoints"] ?? []) as readonly unknown[]).length <= 1,
    field: "endpoints",
    fix: "Use resolution DNS.",
  },
];

export const serviceEntrySchema = obj(
  {
    hosts: req(list(str({ check: must(hostProblem, "Write a DNS name.") }), { min: 1, max: 256 })),
    addresses: list({ ...subnet, max: 64 }, { max: 256 }),
    ports,
    location: enumOf(["MESH_EXTERNAL", "MESH_INTERNAL"]),
    resolution: enumOf(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"]),
    endpoints: list(workloadEntrySchema, { max: 4096 }),
    workloadSelector: labelsSelector,
    exportTo,
    subjectAltNames: list(str()),
  },
  { rules: RULES },
);

export const checkServiceEntry: ResourceCheck<ServiceEntryShape> = (spec, { metadata, report }) => {
  const resolution = spec.resolution ?? "NONE";
  checkHosts(spec, resolution, report);
  checkEndpoints(spec, resolution, report);
  if (resolution === "DYNAMIC_DNS") checkDynamic(spec, report);
  if (resolution !== "NONE" && spec.hosts.length > 1) {
    const other = (spec.ports ?? []).findIndex((entry) => !isNamedByRequest(parseProtocol(entry.protocol ?? "TCP") ?? ""));
    if (other !== -1)
      report.error(
        pathOf("spec", "ports", other),
        "several hosts and a port that is neither HTTP nor TLS: they could not be told apart",
        "Write one ServiceEntry per host, or set the protocol.",
      );
  }
  if (resolution === "NONE" && spec.workloadSelector !== undefined)
    report.warning("spec.workloadSelector", "workloadSelector does nothing with resolution NONE", "Set resolution: STATIC.");
  checkExportTo(spec.exportTo, { namespace: metadata.namespace, nobody: true }, { path: "spec.exportTo", report });
};

/** Requests of the protocol say which host they are for. */
function isNamedByRequest(protocol: string): boolean {
  return isHttpProtocol(protocol) || isTlsProtocol(protocol);
}

function checkHosts(spec: ServiceEntryShape, resolution: string, report: Report): void {
  const byName = (resolution === "DNS" || resolution === "DNS_ROUND_ROBIN") && (spec.endpoints ?? []).length === 0;
  for (const [index, host] of spec.hosts.entries()) {
    const path = pathOf("spec", "hosts", index);
    if (byName && fqdnProblem(host) !== undefined)
      report.error(path, `${host} cannot be resolved by DNS`, "Add endpoints, or write a full name.");
    else if (isPartialWildcard(host) && resolution !== "DYNAMIC_DNS")
      report.warning(path, `the wildcard in ${host} stands for a part of a label`, "Use `*.` and a domain.");
  }
}

function checkEndpoints(spec: ServiceEntryShape, resolution: string, report: Report): void {
  const names = new Set((spec.ports ?? []).map((entry) => entry.name));
  for (const [index, endpoint] of (spec.endpoints ?? []).entries()) {
    const path = pathOf("spec", "endpoints", index);
    if (resolution === "STATIC") checkAddress(endpoint, { path, report, namesAllowed: false });
    else if (!isIpAddress(endpoint.address ?? "") && fqdnProblem(endpoint.address ?? "") !== undefined) {
      report.error(
        extendPath(path, "address"),
        `${JSON.stringify(endpoint.address ?? "")} is neither an IP address nor a DNS name`,
        "Write one of them.",
      );
    }
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!names.has(name))
        report.error(extendPath(path, "ports", name), `the port ${name} is not among spec.ports`, `Use one of ${[...names].join(", ")}.`);
    }
    if ((endpoint.address ?? "").startsWith("unix://") && names.size !== 1)
      report.error(path, "an endpoint on a unix socket needs exactly one port in spec.ports", "Keep one port.");
  }
}

function checkDynamic(spec: ServiceEntryShape, report: Report): void {
  if (spec.location === "MESH_INTERNAL")
    report.error("spec.location", "resolution DYNAMIC_DNS is for hosts outside the mesh", "Write MESH_EXTERNAL.");
  for (const [index, host] of spec.hosts.entries()) {
    if (!host.startsWith("*"))
      report.error(pathOf("spec", "hosts", index), "resolution DYNAMIC_DNS is for wildcard hosts", "Use resolution DNS.");
  }
  if ((spec.addresses ?? []).length > 0) report.error("spec.addresses", "resolution DYNAMIC_DNS has no addresses", "Remove them.");
  if ((spec.endpoints ?? []).length > 0) report.error("spec.endpoints", "resolution DYNAMIC_DNS has no endpoints", "Remove them.");
  for (const [index, entry] of (spec.ports ?? []).entries()) {
    if (!["HTTP", "TLS", "GRPC", "HTTP2"].includes(parseProtocol(entry.protocol ?? "TCP") ?? "")) {
      report.error(
        pathOf("spec", "ports", index, "protocol"),
        "resolution DYNAMIC_DNS works with HTTP, HTTP2, GRPC and TLS only",
        "Set one of these protocols.",
      );
    }
  }
}
