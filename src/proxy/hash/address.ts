// The hash of a caller's address, as Envoy writes the address down.
import { SocketAddress } from "node:net";
import { type Hash64, xxh64 } from "./xxh64.ts";

/** `address` without a port. An IPv6 address can be written in many ways, and came from a header perhaps. */
export function hashAddress(address: string): Hash64 {
  return xxh64(address.includes(":") ? new SocketAddress({ address, family: "ipv6" }).address : address);
}
