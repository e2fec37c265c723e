// Envoy's address messages.
import { type Address, AddressSchema, create, SocketAddress_Protocol } from "../envoy-api/index.ts";

export function socketAddress(address: string, port: number): Address {
  if (address.startsWith("unix://")) {
    return create(AddressSchema, { address: { case: "pipe", value: { path: address.slice("unix://".length) } } });
  }
  return create(AddressSchema, {
    address: {
      case: "socketAddress",
      value: { address, protocol: SocketAddress_Protocol.TCP, portSpecifier: { case: "portValue", value: port } },
    },
  });
}
