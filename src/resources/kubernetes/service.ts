// Service (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/).
import { labels, must } from "../checks/fields.ts";
import { fqdnProblem, isIpAddress, isLowerDnsLabel } from "../checks/names.ts";
import { pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import { bool, enumOf, int, list, obj, req, str } from "../schema/schema.ts";
import { ignored } from "./ignored.ts";
import { portOrName } from "./probe.ts";

const portNumber = int({ min: 1, max: 65_535 });

export const serviceSchema = obj({
  selector: labels(),
  ports: list(
    obj({
      name: str({
        check: must(
          (name: string) => (isLowerDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no port name`),
          "Use lower-case letters, digits and dashes.",
        ),
      }),
      port: req(portNumber),
      targetPort: portOrName,
      protocol: enumOf(["TCP", "UDP", "SCTP"], { default: "TCP" }),
      appProtocol: str({ min: 1 }),
      nodePort: int({ min: 0, max: 65_535 }),
    }),
  ),
  clusterIP: str({
    check: must(
      (address: string) =>
        address === "" || address === "None" || isIpAddress(address) ? undefined : `${JSON.stringify(address)} is no IP address`,
      "Write None or an address, or leave it out.",
    ),
  }),
  type: enumOf(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], { default: "ClusterIP" }),
  externalName: str(),
  publishNotReadyAddresses: bool(),
  trafficDistribution: enumOf(["PreferClose", "PreferSameZone", "PreferSameNode"]),
  ...ignored(
    "allocateLoadBalancerNodePorts", "clusterIPs", "externalIPs", "externalTrafficPolicy", "healthCheckNodePort", "internalTrafficPolicy", "ipFamilies",
    "ipFamilyPolicy", "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "sessionAffinity", "sessionAffinityConfig", "topologyKeys",
  ), // prettier-ignore
});

interface ServiceShape {
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
  readonly type: string;
  readonly clusterIP?: string;
  readonly externalName?: string;
}

export const checkService: ResourceCheck<ServiceShape> = (spec, { metadata, report }) => {
  if (!isLowerDnsLabel(metadata.name))
    report.error(
      "metadata.name",
      `${JSON.stringify(metadata.name)} is no name for a Service`,
      "Use lower-case letters, digits and dashes, 63 at most.",
    );
  const ports = spec.ports ?? [];
  if (spec.type === "ExternalName") {
    const message = fqdnProblem(spec.externalName ?? "");
    if (message !== undefined) report.error("spec.externalName", message, "Write the DNS name that the Service stands for.");
  } else if (ports.length === 0 && spec.clusterIP !== "None")
    report.error("spec.ports", "a Service has at least one port", "Add spec.ports.");
  for (const [index, port] of ports.entries()) {
    const earlier = ports.slice(0, index);
    if (ports.length > 1 && port.name === undefined)
      report.error(pathOf("spec", "ports", index), "with several ports, each has a name", "Add a name such as http.");
    if (port.name !== undefined && earlier.some((other) => other.name === port.name))
      report.error(pathOf("spec", "ports", index, "name"), `the port name ${port.name} stands twice`, "Rename one of the two.");
    if (earlier.some((other) => other.port === port.port && other.protocol === port.protocol))
      report.error(pathOf("spec", "ports", index, "port"), `the port ${port.port} stands twice`, "Remove one of the two.");
  }
};
