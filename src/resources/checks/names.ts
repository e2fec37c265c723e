// Names, hosts, addresses and labels as Istio and Kubernetes accept them (istio pkg/config/validation/agent, pkg/config/labels;
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/). Each returns what is wrong, or undefined.
import { isIP } from "node:net";

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const WILDCARD_LABEL = /^(?:\*|(?:\*-?)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;
const LOWER_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const LABEL_NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/** As Kubernetes wants names: lower case. */
export function isLowerDnsLabel(text: string): boolean {
  return text.length <= 63 && LOWER_LABEL.test(text);
}

export function isDnsSubdomain(text: string): boolean {
  return text.length > 0 && text.length <= 253 && text.split(".").every((part) => LOWER_LABEL.test(part));
}

export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

export function fqdnProblem(domain: string): string | undefined {
  if (domain === "") return "a domain name must not be empty";
  if (domain.length > 255) return "a domain name has at most 255 characters";
  return dnsLabelsProblem(domain, domain);
}

/** A domain whose first label may be `*` or start with `*`. */
export function wildcardDomainProblem(domain: string): string | undefined {
  if (domain === "") return "a domain name must not be empty";
  if (domain.length > 255) return "a domain name has at most 255 characters";
  const dot = domain.indexOf(".");
  const first = dot === -1 ? domain : domain.slice(0, dot);
  if (first.length > 63 || !WILDCARD_LABEL.test(first))
    return `${JSON.stringify(domain)} is no domain name (${JSON.stringify(first)} is no label)`;
  return dot === -1 ? undefined : dnsLabelsProblem(domain.slice(dot + 1), domain);
}

function dnsLabelsProblem(text: string, domain: string): string | undefined {
  const labels = text.split(".");
  const last = labels.at(-1) ?? "";
  if (/^[-+]?\d+$/.test(last)) return `${JSON.stringify(domain)} is no domain name (its top level is a number)`;
  for (const [index, label] of labels.entries()) {
    if (label === "" && index === labels.length - 1) return undefined;
    if (!isDnsLabel(label)) return `${JSON.stringify(domain)} is no domain name (${JSON.stringify(label)} is no label)`;
  }
  return undefined;
}

export function isPartialWildcard(host: string): boolean {
  return host.includes("*") && host.length !== 1 && !host.startsWith("*.");
}

/** An address or CIDR block. */
export function subnetProblem(text: string): string | undefined {
  const parts = text.split("/");
  if (parts.length !== 2) return isIpAddress(text) ? undefined : `${JSON.stringify(text)} is no IP address`;
  const version = isIP(parts[0] ?? "");
  const bits = parts[1] ?? "";
  if (version === 0 || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
    return `${JSON.stringify(text)} is no CIDR block`;
  return undefined;
}

export function portProblem(port: number): string | undefined {
  return port >= 1 && port <= 65_535 ? undefined : `a port is from 1 to 65535, but this is ${port}`;
}

export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = slash === -1 ? key : key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !prefix.split(".").every((part) => LABEL.test(part))))
    return `${JSON.stringify(key)} is no label key (its prefix is no domain name)`;
  if (name.length > 63 || !LABEL_NAME.test(name)) return `${JSON.stringify(key)} is no label key`;
  return undefined;
}

export function labelValueProblem(value: string): string | undefined {
  return value === "" || (value.length <= 63 && LABEL_NAME.test(value)) ? undefined : `${JSON.stringify(value)} is no label value`;
}

/** Path of a unix socket, without `unix://`. */
export function unixPathProblem(path: string): string | undefined {
  if (path === "") return "a unix socket needs a path";
  if (path.startsWith("@")) return undefined;
  return path.startsWith("/") && !path.endsWith("/") ? undefined : `${path} is no absolute path of a file`;
}

const PROTOCOLS = new Set([
  "HTTP",
  "HTTP2",
  "HTTP_PROXY",
  "HTTPS",
  "GRPC",
  "GRPC-WEB",
  "TCP",
  "TLS",
  "UDP",
  "MONGO",
  "MYSQL",
  "REDIS",
  "HBONE",
  "DOUBLEHBONE",
]);
export const PROTOCOL_NAMES = "HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO, MYSQL, REDIS, UDP";

/** Istio's protocol names, in any case; undefined when there is none of that name. */
export function parseProtocol(text: string): string | undefined {
  const upper = text.toUpperCase();
  if (upper === "HTTP_PROXY" || upper === "HTTP-PROXY") return "HTTP_PROXY";
  return PROTOCOLS.has(upper) ? upper : undefined;
}

export function isHttpProtocol(protocol: string): boolean {
  return ["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"].includes(protocol);
}

export function isTlsProtocol(protocol: string): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

/** True when every name that `inner` stands for is covered by `outer` (`*.a.com` by `*.com`). */
export function hostIsWithin(inner: string, outer: string): boolean {
  if (outer === "*") return true;
  if (inner === outer) return true;
  if (!outer.startsWith("*")) return false;
  const tail = outer.slice(1);
  return inner.startsWith("*") ? inner.slice(1).endsWith(tail) : inner.length >= tail.length && inner.endsWith(tail);
}

/** True when some name is covered by both. */
export function hostsOverlap(a: string, b: string): boolean {
  return hostIsWithin(a, b) || hostIsWithin(b, a);
}
