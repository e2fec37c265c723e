// TCP keep-alive on upstream connections.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto (TcpKeepalive)
import { readFileSync } from "node:fs";
import type net from "node:net";
import type { TcpKeepalive } from "../config/index.ts";

/** Node sets all three values or none, so what the config leaves open is said as the system has it. */
export function setKeepalive(sock: net.Socket, { timeMs, intervalMs, probes }: TcpKeepalive): void {
  sock.setKeepAlive({
    enable: true,
    initialDelay: timeMs ?? systemValue("tcp_keepalive_time", 7200) * 1000,
    interval: intervalMs ?? systemValue("tcp_keepalive_intvl", 75) * 1000,
    count: probes ?? systemValue("tcp_keepalive_probes", 9),
  });
}

const known = new Map<string, number>();

function systemValue(name: string, fallback: number): number {
  let value = known.get(name);
  if (value === undefined) {
    try {
      value = Number(readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8"));
    } catch {
      // Only Linux has the file.
    }
    known.set(name, (value ??= fallback));
  }
  return value;
}
