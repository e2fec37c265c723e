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
