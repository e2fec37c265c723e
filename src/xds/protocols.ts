// Which ports are HTTP, and which are to be detected (Istio pkg/config/protocol).
import type { Protocol } from "../model/index.ts";

const HTTP: ReadonlySet<Protocol> = new Set(["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"]);

/** HTTP, or detected: the port has routes. */
export function isHttpProtocol(protocol: Protocol): boolean {
  return HTTP.has(protocol) || protocol === "UNSUPPORTED";
}

export function isDetected(protocol: Protocol): boolean {
  return protocol === "UNSUPPORTED";
}

export function isHttp2(protocol: Protocol): boolean {
  return protocol === "HTTP2" || protocol === "GRPC" || protocol === "GRPC-WEB";
}

export function isGrpc(protocol: Protocol): boolean {
  return protocol === "GRPC" || protocol === "GRPC-WEB";
}

export function isUdp(protocol: Protocol): boolean {
  return protocol === "UDP";
}

const TCP: ReadonlySet<Protocol> = new Set(["TCP", "HTTPS", "TLS", "MONGO", "REDIS", "MYSQL"]);

/** Bytes without routes; TLS that passes through counts. */
export function isTcp(protocol: Protocol): boolean {
  return TCP.has(protocol);
}

/** TLS that the sidecar passes on and routes by server name. */
export function isTls(protocol: Protocol): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}
