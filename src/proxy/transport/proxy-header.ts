// Writes the PROXY protocol header towards an upstream. https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
// and https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto
import { isIP, type Socket } from "node:net";
import { ipBytes } from "../network/ip-text.ts";

export interface ProxyAddresses {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
}

const SIGNATURE_2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** Without addresses of a caller: version 1 names the connection itself, version 2 says that it is the proxy's own. */
export function proxyHeader(version: 1 | 2, given: ProxyAddresses | undefined, sock: Socket): Buffer {
  // A caller at a Unix socket has none that could be told.
  const addresses = given !== undefined && isIP(given.sourceAddress) !== 0 ? given : undefined;
  if (version === 2) return addresses === undefined ? Buffer.concat([SIGNATURE_2, Buffer.from([0x20, 0, 0, 0])]) : version2(addresses);
  const { sourceAddress, sourcePort, destinationAddress, destinationPort } = addresses ?? {
    sourceAddress: sock.localAddress ?? "",
    sourcePort: sock.localPort ?? 0,
    destinationAddress: sock.remoteAddress ?? "",
    destinationPort: sock.remotePort ?? 0,
  };
  const family = isIP(sourceAddress) === 6 ? "TCP6" : "TCP4";
  return Buffer.from(`PROXY ${family} ${sourceAddress} ${destinationAddress} ${sourcePort} ${destinationPort}\r\n`, "latin1");
}

function version2({ sourceAddress, sourcePort, destinationAddress, destinationPort }: ProxyAddresses): Buffer {
  const six = isIP(sourceAddress) === 6;
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  const body = Buffer.concat([ipBytes(sourceAddress), ipBytes(destinationAddress), ports]);
  return Buffer.concat([SIGNATURE_2, Buffer.from([0x21, six ? 0x21 : 0x11, 0, body.length]), body]);
}
