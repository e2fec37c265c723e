// Which protocol a service port speaks (Istio pkg/config/kube/conversion.go and pkg/config/protocol).
import type { Protocol } from "../model/index.ts";
import type { ServicePortSpec } from "../resources/index.ts";

const BY_NAME: ReadonlyMap<string, Protocol> = new Map([
  ["http", "HTTP"],
  ["http2", "HTTP2"],
  ["http_proxy", "HTTP_PROXY"],
  ["https", "HTTPS"],
  ["grpc", "GRPC"],
  ["grpc-web", "GRPC-WEB"],
  ["tcp", "TCP"],
  ["tls", "TLS"],
  ["udp", "UDP"],
  ["mongo", "MONGO"],
  ["mysql", "MYSQL"],
  ["redis", "REDIS"],
]);

const BY_APP_PROTOCOL: ReadonlyMap<string, Protocol> = new Map([
  ["kubernetes.io/h2c", "HTTP2"],
  ["kubernetes.io/ws", "HTTP"],
  ["kubernetes.io/wss", "HTTPS"],
]);

/** SMTP, DNS, MySQL and MongoDB wait for the server's first word, so an unnamed port is not sniffed. */
const WELL_KNOWN_TCP: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** A protocol by its name in any case, as ServiceEntry, Gateway and Sidecar ports write it. */
export function parseProtocol(name: string | undefined): Protocol {
  return BY_NAME.get((name ?? "").toLowerCase()) ?? "UNSUPPORTED";
}

/** The protocol that a port's name or appProtocol says, before well-known ports count. */
export function protocolByName(text: string): Protocol {
  const lower = text.toLowerCase();
  const known = BY_APP_PROTOCOL.get(lower);
  if (known !== undefined) return known;
  if (lower === "grpc-web" || lower.startsWith("grpc-web-")) return "GRPC-WEB";
  const dash = lower.indexOf("-");
  return parseProtocol(dash === -1 ? lower : lower.slice(0, dash));
}

/** appProtocol beats the name; a name counts up to its first dash. */
export function protocolOfServicePort(port: ServicePortSpec): Protocol {
  if (port.protocol === "UDP") return "UDP";
  const named = protocolByName(port.appProtocol ?? port.name ?? "");
  return named === "UNSUPPORTED" && WELL_KNOWN_TCP.has(port.port) ? "TCP" : named;
}
