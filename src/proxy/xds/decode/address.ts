// Envoy's addresses: TCP sockets with a port number.
import type { Reader } from "../../wire/reader.ts";
import type { SocketAddress } from "../../config/index.ts";

export function decodeAddress(reader: Reader, field: string): SocketAddress {
  const socket = reader.message(field)?.message("socket_address");
  if (socket === undefined) return reader.refuse(field, "is missing");
  return decodeSocketAddress(socket);
}

export function decodeSocketAddress(socket: Reader): SocketAddress {
  if (socket.choice("protocol", "TCP") !== "TCP") socket.refuse("protocol", "UDP is not supported");
  return { host: socket.text("address"), port: socket.number("port_value", 0) };
}

export function decodeCidrs(reader: Reader, field: string): { address: string; prefix: number }[] {
  return reader.messages(field).map((cidr) => ({ address: cidr.text("address_prefix"), prefix: cidr.number("prefix_len", 0) }));
}
