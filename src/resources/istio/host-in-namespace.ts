// `host` and `namespace/host` of gateway servers and Sidecar egress (istio ValidateNamespaceSlashWildcardHostname).
import { isDnsLabel, isIpAddress, isPartialWildcard, wildcardDomainProblem } from "../checks/names.ts";

export function gatewayHostProblem(text: string): string | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return hostProblem(text, true);
  const namespace = text.slice(0, slash);
  if (namespace !== "*" && namespace !== "." && !isDnsLabel(namespace)) return `${JSON.stringify(namespace)} is no namespace`;
  return hostProblem(text.slice(slash + 1), true);
}

export function egressHostProblem(text: string): string | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) return "a host is written NAMESPACE/HOST here";
  const namespace = text.slice(0, slash).replace(/^~/, "");
  if (slash === 0) return "the namespace must not be empty";
  if (namespace !== "" && namespace !== "*" && namespace !== "." && !isDnsLabel(namespace))
    return `${JSON.stringify(text.slice(0, slash))} is no namespace`;
  return hostProblem(text.slice(slash + 1), false);
}

function hostProblem(host: string, ipAllowed: boolean): string | undefined {
  if (host === "") return "the host must not be empty";
  if (host !== "*" && !host.includes(".") && !(ipAllowed && isIpAddress(host)))
    return `${JSON.stringify(host)} is a short name; only full names are allowed here`;
  const message = wildcardDomainProblem(host);
  if (message !== undefined && !(ipAllowed && isIpAddress(host))) return message;
  return isPartialWildcard(host) ? `a wildcard stands for whole labels: ${JSON.stringify(host)} is not allowed` : undefined;
}
