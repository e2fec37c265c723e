// Transport sockets: plain text, TLS, and the PROXY protocol in front of either; anything else is refused by its name.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/base.proto (TransportSocket)
import { createHash } from "node:crypto";
import type { DownstreamTls, TransportMatch, UpstreamTransport } from "../../config/index.ts";
import type { Reader, TypedReader } from "../../wire/reader.ts";
import { decodeDownstreamTls, decodeUpstreamTls } from "./tls.ts";

const SOCKETS = "envoy.extensions.transport_sockets";
const RAW_BUFFER = `${SOCKETS}.raw_buffer.v3.RawBuffer`;
const UPSTREAM_TLS = `${SOCKETS}.tls.v3.UpstreamTlsContext`;
const DOWNSTREAM_TLS = `${SOCKETS}.tls.v3.DownstreamTlsContext`;
const PROXY_PROTOCOL = `${SOCKETS}.proxy_protocol.v3.ProxyProtocolUpstreamTransport`;

/** undefined = plain text. */
export function decodeDownstreamTransport(chain: Reader): DownstreamTls | undefined {
  const socket = chain.message("transport_socket");
  const any = typeOf(socket);
  if (socket === undefined || any === undefined || any.typeName === RAW_BUFFER) return undefined;
  return any.typeName === DOWNSTREAM_TLS ? decodeDownstreamTls(any.read()) : socket.refuse("", `${any.typeName} is not supported here`);
}

/** undefined = plain text. */
export function decodeUpstreamTransport(reader: Reader, field = "transport_socket"): UpstreamTransport | undefined {
  const socket = reader.message(field);
  const any = typeOf(socket);
  if (socket === undefined || any === undefined || any.typeName === RAW_BUFFER) return undefined;
  if (any.typeName === UPSTREAM_TLS) return withKey({ tls: decodeUpstreamTls(any.read()), proxyProtocol: undefined });
  if (any.typeName !== PROXY_PROTOCOL) return socket.refuse("", `${any.typeName} is not supported here`);
  const config = any.read();
  const inner = config.message("transport_socket") === undefined ? undefined : decodeUpstreamTransport(config);
  if (inner?.proxyProtocol !== undefined) config.refuse("transport_socket", "is a PROXY protocol again");
  const version = config.message("config")?.choice<string>("version", "V1") === "V2" ? 2 : 1;
  return withKey({ tls: inner?.tls, proxyProtocol: version });
}

export function decodeTransportMatches(reader: Reader): TransportMatch[] {
  return reader.messages("transport_socket_matches").map((one) => ({
    name: one.text("name"),
    match: one.struct("match") ?? {},
    transport: decodeUpstreamTransport(one),
  }));
}

function typeOf(socket: Reader | undefined): TypedReader | undefined {
  const any = socket?.any("typed_config");
  if (socket !== undefined && any === undefined && socket.text("name") !== "envoy.transport_sockets.raw_buffer")
    socket.refuse("typed_config", "is missing");
  return any;
}

function withKey(parts: Omit<UpstreamTransport, "key">): UpstreamTransport {
  return Object.freeze({ ...parts, key: createHash("sha256").update(JSON.stringify(parts)).digest("base64") });
}
