// Which ports of a pod Services lead to: only for those does its sidecar open an inbound listener.
import type { PodPortStatus } from "../resources/index.ts";
import type { ServiceAddress } from "./pod-env.ts";

export function servedPorts(
  ports: readonly PodPortStatus[],
  by: { readonly services: readonly ServiceAddress[]; readonly labels: Readonly<Record<string, string>> },
): PodPortStatus[] {
  const targets = by.services
    .filter(({ selector = {} }) => {
      const wanted = Object.entries(selector);
      return wanted.length > 0 && wanted.every(([name, value]) => Object.hasOwn(by.labels, name) && by.labels[name] === value);
    })
    .flatMap((service) => service.ports)
    .filter(({ protocol = "TCP" }) => protocol === "TCP")
    .map(({ port, targetPort }) => targetPort ?? port);
  return ports.filter((port) => targets.some((target) => target === port.containerPort || target === port.name));
}
