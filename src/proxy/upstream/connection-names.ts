// What a request itself decides about the connection it may use: the server name and the names to check where they follow its host, and the
// caller's addresses where the PROXY protocol announces them. Requests that decide alike share connections.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto (UpstreamHttpProtocolOptions)
import { isIP } from "node:net";
import type { ClusterConfig, UpstreamTransport } from "../config/index.ts";
import type { ProxyAddresses } from "../transport/proxy-header.ts";

export interface RequestNames {
  /** Equal where the rest is. */
  readonly key: string;
  /** undefined = the config's. */
  readonly sni: string | undefined;
  readonly sans: readonly string[];
  readonly addresses: ProxyAddresses | undefined;
}

export interface NamedRequest {
  readonly authority: string;
  header(name: string): string | undefined;
  readonly addresses: ProxyAddresses;
}

const NO_NAMES: readonly string[] = [];
export const NO_REQUEST: RequestNames = Object.freeze({ key: "", sni: undefined, sans: NO_NAMES, addresses: undefined });

/** Does it differ from request to request? */
export function followsRequest(config: ClusterConfig): boolean {
  return config.autoSni !== undefined || transportsOf(config).some((transport) => transport?.proxyProtocol !== undefined);
}

function transportsOf(config: ClusterConfig): readonly (UpstreamTransport | undefined)[] {
  return [config.transport, ...config.transportMatches.map(({ transport }) => transport)];
}

export function requestNames(config: ClusterConfig, transport: UpstreamTransport | undefined, request: NamedRequest): RequestNames {
  if (transport === undefined) return NO_REQUEST;
  const addresses = transport.proxyProtocol === undefined ? undefined : request.addresses;
  const { autoSni } = config;
  const name = autoSni === undefined || transport.tls === undefined ? undefined : nameOf(request, autoSni.header);
  const sni = name !== undefined && autoSni?.sni === true && isIP(name) === 0 ? name : undefined;
  const sans = name !== undefined && autoSni?.sanValidation === true ? [name] : NO_NAMES;
  const where = addresses === undefined ? "" : Object.values(addresses).join(" ");
  return { key: `${sni ?? ""}\n${sans.join()}\n${where}`, sni, sans, addresses };
}

/** Without a port. */
function nameOf(request: NamedRequest, header: string): string {
  const value = header === "" ? request.authority : (request.header(header) ?? request.authority);
  if (value.startsWith("[")) return value.slice(1, Math.max(1, value.indexOf("]")));
  const colon = value.lastIndexOf(":");
  return colon >= 0 && /^\d*$/.test(value.slice(colon + 1)) ? value.slice(0, colon) : value;
}
