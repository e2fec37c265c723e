// `%…%` operators about addresses: whole, without their port, the port alone, and as a network of so many bits.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
import { isIP } from "node:net";
import { ipBytes, ipText } from "../network/ip-text.ts";
import { isSocketPath } from "../transport/socket-path.ts";
import type { Operator } from "./format.ts";
import type { StreamInfo } from "./stream-info.ts";

/** Names without what follows the address; `address:port`, "" = not known. */
const ADDRESSES: ReadonlyMap<string, (info: StreamInfo) => string> = new Map<string, (info: StreamInfo) => string>([
  ["UPSTREAM_LOCAL", (i) => i.upstreamLocalAddress],
  // Known once there is a connection.
  ["UPSTREAM_REMOTE", (i) => (i.upstreamLocalAddress === "" && !isSocketPath(i.upstreamHost) ? "" : i.upstreamHost)],
  ["DOWNSTREAM_LOCAL", (i) => i.downstreamLocalAddress],
  ["DOWNSTREAM_DIRECT_LOCAL", (i) => i.downstreamDirectLocalAddress],
  ["DOWNSTREAM_REMOTE", (i) => i.clientAddress],
  ["DOWNSTREAM_DIRECT_REMOTE", (i) => i.downstreamRemoteAddress],
]);

const NAME = /^(.+?)_(ADDRESS|ADDRESS_WITHOUT_PORT|PORT|ADDRESS_ENDPOINT_ID)$/;

/** undefined = it is no such operator, or its argument is none. */
export function addressOperator(name: string, argument: string | undefined): Operator | undefined {
  const [, of = "", form = ""] = NAME.exec(name) ?? [];
  const address = ADDRESSES.get(of);
  if (address === undefined) return undefined;
  if (argument !== undefined) return form === "ADDRESS_WITHOUT_PORT" ? networkOf(address, argument) : undefined;
  switch (form) {
    case "ADDRESS":
      // Our end of a Unix socket has no name, which is not the same as that there is none.
      if (of === "UPSTREAM_LOCAL") return (info) => (isSocketPath(info.upstreamHost) ? "" : text(address(info)));
      return (info) => text(address(info));
    case "ADDRESS_WITHOUT_PORT":
      return (info) => text(withoutPort(address(info)));
    case "PORT":
      return (info) => portOf(address(info));
    default:
      // Only addresses inside an Envoy have one.
      return (info) => (address(info) === "" ? undefined : "");
  }
}

function text(value: string): string | undefined {
  return value === "" ? undefined : value;
}

export function withoutPort(address: string): string {
  const colon = address.lastIndexOf(":");
  const host = colon < 0 ? address : address.slice(0, colon);
  return host.startsWith("[") ? host.slice(1, -1) : host;
}

function portOf(address: string): number | undefined {
  const colon = address.lastIndexOf(":");
  return colon < 0 ? undefined : Number(address.slice(colon + 1));
}

function networkOf(address: (info: StreamInfo) => string, argument: string): Operator | undefined {
  const bits = /^\d{1,3}$/.test(argument) ? Number(argument) : 129;
  if (bits > 128) return undefined;
  return (info) => {
    const host = withoutPort(address(info));
    const family = isIP(host);
    if (family === 0 || (family === 4 && bits > 32)) return undefined;
    const bytes = ipBytes(host).map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))));
    return `${ipText(Buffer.from(bytes)) ?? ""}/${bits}`;
  };
}
