// After `101 Switching Protocols`: bytes pass both ways as they come, with back-pressure.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades
import type { Head } from "../http1/head.ts";
import { HIGH_WATER } from "../network/conn.ts";
import type { Http1Connection } from "../upstream/pool/http1-connection.ts";
import type { Exchange } from "./exchange.ts";
import { responseText } from "./response-out.ts";

export function beginTunnel(exchange: Exchange, connection: Http1Connection, head: Head, now: number): void {
  exchange.status = 101;
  exchange.responded = true;
  exchange.details = "via_upstream";
  exchange.responseStartMs = now - exchange.startMs;
  connection.tunnel = true;
  connection.keep = false;
  exchange.caller.keep = false;
  const shape = { serviceTimeMs: (now - exchange.actionMs) | 0, attemptCount: undefined, framing: "none", upgrade: true } as const;
  exchange.caller.conn.writeStr(responseText(exchange, head, shape));
  exchange.caller.enterTunnel();
}

/** True when the read buffer is free again. */
export function tunnelToCaller(exchange: Exchange, connection: Http1Connection, data: Buffer): boolean {
  exchange.bytesSent += data.length;
  const free = exchange.caller.conn.writeSub(data);
  if (!free) exchange.caller.conn.whenFlushed(() => connection.conn.resume());
  return free;
}

export function tunnelToUpstream(exchange: Exchange, connection: Http1Connection, data: Buffer): void {
  exchange.bytesReceived += data.length;
  connection.conn.writeSub(data);
  if (connection.conn.pending() <= HIGH_WATER) return;
  exchange.caller.conn.pause();
  connection.conn.whenFlushed(() => exchange.caller.conn.resume());
}
