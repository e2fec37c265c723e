// Envoy's addresses: TCP sockets with a port number, and for endpoints and listeners Unix sockets.
import type { Reader } from "../../wire/reader.ts";
import type { SocketAddress } from "../../config/index.ts";
import { isSocketPath } from "../../transport/socket-path.ts";

export function decodeAddress(reader: Reader, field: string): SocketAddress {
  const address = reader.message(field);
  if (address?.has("pipe") === true) return address.refuse("pipe", "is not supported here");
  const socket = address?.message("socket_address");
  if (socket === undefined) return reader.refuse(field, "is missing");
  return decodeSocketAddress(socket);
}

/** What the system has room for, with the byte that ends it. */
const MAX_PATH = 107;

/** A Unix socket is its path and port 0. */
export function decodeSocketOrPipe(reader: Reader, field: string): SocketAddress {
  const pipe = reader.message(field)?.message("pipe");
  if (pipe === undefined) return decodeAddress(reader, field);
  const path = pipe.text("path");
  if (!isSocketPath(path)) return pipe.refuse("path", `${JSON.stringify(path)} is neither an absolute path nor @name`);
  if (Buffer.byteLength(path) > MAX_PATH) return pipe.refuse("path", `is longer than ${MAX_PATH} bytes`);
  return { host: path, port: 0 };
}

export function decodeSocketAddress(socket: Reader, { udp = false }: { readonly udp?: boolean } = {}): SocketAddress {
  if (!udp && socket.choice("protocol", "TCP") !== "TCP") socket.refuse("protocol", "UDP is not supported");
  return { host: socket.text("address"), port: socket.number("port_value", 0) };
}

export function decodeCidrs(reader: Reader, field: string): { address: string; prefix: number }[] {
  return reader.messages(field).map((cidr) => ({ address: cidr.text("address_prefix"), prefix: cidr.number("prefix_len", 0) }));
}
