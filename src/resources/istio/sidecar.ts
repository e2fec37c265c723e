// Sidecar in v1, v1beta1, v1alpha3 (https://istio.io/latest/docs/reference/config/networking/sidecar/, istio ValidateSidecar).
import { must, protocolName, subsetName } from "../checks/fields.ts";
import {
  fqdnProblem,
  isDnsLabel,
  isHttpProtocol,
  isIpAddress,
  isTlsProtocol,
  parseProtocol,
  portProblem,
  unixPathProblem,
} from "../checks/names.ts";
import { extendPath, joinPath, pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { enumOf, list, obj, req, str, uint32 } from "../schema/schema.ts";
import { connectionPool } from "./connection-pool.ts";
import { destination } from "./destination.ts";
import { egressHostProblem } from "./host-in-namespace.ts";
import { labelsSelector } from "./selectors.ts";
import { serverTls, type ServerTlsSpec } from "./server-tls.ts";

interface PortSpec {
  readonly number?: number;
  readonly name?: string;
  readonly protocol?: string;
  readonly targetPort?: number;
}

interface IngressSpec {
  readonly port: PortSpec;
  readonly bind?: string;
  readonly defaultEndpoint?: string;
  readonly tls?: ServerTlsSpec;
  readonly connectionPool?: { readonly http?: unknown };
}

interface EgressSpec {
  readonly port?: PortSpec;
  readonly bind?: string;
  readonly captureMode?: string;
  readonly hosts: readonly string[];
}

interface SidecarShape {
  readonly ingress?: readonly IngressSpec[];
  readonly egress?: readonly EgressSpec[];
  readonly outboundTrafficPolicy?: { readonly mode?: string; readonly egressProxy?: { readonly host: string; readonly port?: unknown } };
  readonly inboundConnectionPool?: unknown;
}

const sidecarPort = obj({
  number: uint32(),
  protocol: protocolName,
  name: str({ check: must((name: string) => (name === "" || isDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no port name`)) }),
  targetPort: uint32(),
});
const captureMode = enumOf(["DEFAULT", "IPTABLES", "NONE"]);

export const sidecarSchema = obj({
  workloadSelector: labelsSelector,
  ingress: list(
    obj({
      port: req(sidecarPort),
      bind: str(),
      captureMode,
      defaultEndpoint: str({ check: must(endpointProblem, "Write 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, :PORT or unix://PATH.") }),
      tls: serverTls,
      connectionPool,
    }),
  ),
  egress: list(
    obj({
      port: sidecarPort,
      bind: str(),
      captureMode,
      hosts: req(
        list(str({ check: must(egressHostProblem, "Write NAMESPACE/HOST, such as ./* or default/demo.default.svc.cluster.local.") }), {
          min: 1,
        }),
      ),
    }),
  ),
  inboundConnectionPool: connectionPool,
  outboundTrafficPolicy: obj({
    mode: enumOf(["REGISTRY_ONLY", "ALLOW_ANY"]),
    egressProxy: obj({ ...destination.fields, subset: subsetName }),
  }),
});

function endpointProblem(text: string): string | undefined {
  if (text === "") return undefined;
  if (text.startsWith("unix://")) return unixPathProblem(text.slice(7));
  const match = /^(|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]):(\d+)$/.exec(text);
  return match === null ? `${JSON.stringify(text)} is no place of the workload itself` : portProblem(Number(match[2]));
}

export const checkSidecar: ResourceCheck<SidecarShape> = (spec, { metadata, report }) => {
  const ingress = spec.ingress ?? [];
  const egress = spec.egress ?? [];
  if (ingress.length + egress.length === 0 && spec.outboundTrafficPolicy === undefined && spec.inboundConnectionPool === undefined) {
    report.error("spec", "a Sidecar says something: egress, ingress, outboundTrafficPolicy or inboundConnectionPool", "Add one of them.");
  }
  for (const [index, listener] of ingress.entries()) {
    const path = pathOf("spec", "ingress", index);
    checkIngress(listener, path, report);
    if (ingress.slice(0, index).some((other) => other.port.number === listener.port.number))
      report.error(extendPath(path, "port"), `the port ${listener.port.number} stands twice`, "Remove one of the two.");
  }
  for (const index of egress.keys()) checkEgress(egress, index, report);
  for (const [index, listener] of egress.entries())
    warnHosts(listener.hosts, { path: pathOf("spec", "egress", index, "hosts"), namespace: metadata.namespace, report });
  const policy = spec.outboundTrafficPolicy;
  if (policy?.egressProxy === undefined) return;
  const path = "spec.outboundTrafficPolicy.egressProxy";
  if (policy.mode !== "ALLOW_ANY") report.error(path, "egressProxy needs mode ALLOW_ANY", "Set mode: ALLOW_ANY.");
  const message = fqdnProblem(policy.egressProxy.host);
  if (message !== undefined) report.error(joinPath(path, "host"), message, "Write a full name.");
  if (policy.egressProxy.port === undefined) report.error(path, "egressProxy needs a port", "Add port.number.");
};

function checkIngress({ port, bind = "", tls, connectionPool: pool }: IngressSpec, path: string, report: Report): void {
  const message = portProblem(port.number ?? 0);
  if (message !== undefined) report.error(extendPath(path, "port", "number"), message);
  if ((port.targetPort ?? 0) > 0)
    report.error(extendPath(path, "port", "targetPort"), "targetPort does nothing in a Sidecar", "Remove it.");
  if (bind !== "" && !isIpAddress(bind)) report.error(joinPath(path, "bind"), `${JSON.stringify(bind)} is no IP address`);
  const protocol = parseProtocol(port.protocol ?? "") ?? "";
  if (pool?.http !== undefined && !isHttpProtocol(protocol))
    report.warning(
      extendPath(path, "connectionPool", "http"),
      "connectionPool.http does nothing on a port that is not HTTP",
      "Set the protocol, or remove it.",
    );
  if (tls === undefined) return;
  const at = joinPath(path, "tls");
  for (const field of ["subjectAltNames", "credentialNames", "tlsCertificates"] as const)
    if (tls[field] !== undefined) report.error(joinPath(at, field), `${field} is not supported in a Sidecar`, "Remove it.");
  if (tls.httpsRedirect === true) report.error(joinPath(at, "httpsRedirect"), "httpsRedirect is not supported in a Sidecar", "Remove it.");
  if ((tls.credentialName ?? "") !== "")
    report.error(joinPath(at, "credentialName"), "credentialName is not supported in a Sidecar", "Use certificate files.");
  if (tls.mode === "ISTIO_MUTUAL" || tls.mode === "AUTO_PASSTHROUGH")
    report.error(joinPath(at, "mode"), `${tls.mode} is not supported in a Sidecar`, "Use SIMPLE or MUTUAL.");
  if (!isTlsProtocol(protocol)) report.error(at, "tls needs a port with protocol HTTPS or TLS", "Set the protocol.");
}

function checkEgress(listeners: readonly EgressSpec[], index: number, report: Report): void {
  const listener = listeners[index];
  if (listener === undefined) return;
  const path = pathOf("spec", "egress", index);
  const { port, bind = "" } = listener;
  if (port === undefined) {
    if (index !== listeners.length - 1)
      report.error(path, "the egress listener without port is the last one, and there is only one", "Move it to the end.");
    return;
  }
  if ((port.targetPort ?? 0) > 0)
    report.error(extendPath(path, "port", "targetPort"), "targetPort does nothing in a Sidecar", "Remove it.");
  const earlier = listeners.slice(0, index);
  if ((port.number ?? 0) === 0) {
    const message = bind.startsWith("unix://") ? unixPathProblem(bind.slice(7)) : "port 0 is for listeners on a unix socket";
    if (message !== undefined) report.error(joinPath(path, "bind"), message, "Write a port, or bind: unix://PATH.");
    if (listener.captureMode === "IPTABLES")
      report.error(joinPath(path, "captureMode"), "a unix socket cannot be captured by iptables", "Use DEFAULT or NONE.");
    if (earlier.some((other) => other.bind === bind))
      report.error(joinPath(path, "bind"), `the socket ${bind} stands twice`, "Remove one of the two.");
    return;
  }
  const message = portProblem(port.number ?? 0);
  if (message !== undefined) report.error(extendPath(path, "port", "number"), message);
  if (bind !== "" && !isIpAddress(bind)) report.error(joinPath(path, "bind"), `${JSON.stringify(bind)} is no IP address`);
  if (earlier.some((other) => other.port?.number === port.number))
    report.error(extendPath(path, "port"), `the port ${port.number} stands twice`, "Remove one of the two.");
}

/** Hosts that another entry of the list already takes in. */
function warnHosts(hosts: readonly string[], at: { readonly path: string; readonly namespace: string; readonly report: Report }): void {
  const seen = new Map<string, Set<string>>();
  for (const [index, entry] of hosts.entries()) {
    const slash = entry.indexOf("/");
    if (entry.startsWith("~")) continue;
    const namespace = entry.slice(0, slash) === "." ? at.namespace : entry.slice(0, slash);
    const host = entry.slice(slash + 1);
    const others = seen.get(namespace) ?? new Set<string>();
    seen.set(namespace, others);
    if (others.has(host) || others.has("*") || (host === "*" && others.size > 0))
      at.report.warning(joinPath(at.path, index), `${entry} is covered twice`, "Remove one of the two.");
    others.add(host);
  }
  if (seen.get("*")?.has("*") === true && seen.size > 1)
    at.report.warning(at.path, "*/* takes in everything, the other hosts do nothing", "Remove the others.");
}
