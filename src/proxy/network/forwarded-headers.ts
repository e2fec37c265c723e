// What a request says about its caller, made true before anything is matched: client address, x-forwarded-*, x-request-id, forged x-envoy-* headers.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers and header_sanitizing
import { isIP } from "node:net";
import { clientCertHeader } from "./client-cert.ts";
import type { RequestHead } from "../http/message.ts";
import type { Exchange } from "../router/exchange.ts";
import { newRequestId } from "./request-id.ts";
import { isSocketPath } from "../transport/socket-path.ts";

const INSIDE = [
  "x-envoy-internal",
  "x-envoy-retriable-status-codes",
  "x-envoy-retriable-header-names",
  "x-envoy-retry-on",
  "x-envoy-retry-grpc-on",
  "x-envoy-max-retries",
  "x-envoy-upstream-alt-stat-name",
  "x-envoy-upstream-rq-timeout-ms",
  "x-envoy-upstream-rq-per-try-timeout-ms",
  "x-envoy-upstream-rq-timeout-alt-response",
  "x-envoy-upstream-stream-duration-ms",
  "x-envoy-expected-rq-timeout-ms",
  "x-envoy-force-trace",
  "x-envoy-ip-tags",
  "x-envoy-original-url",
  "x-envoy-hedge-on-per-try-timeout",
];
const AT_EDGE = [
  ...INSIDE,
  "x-envoy-external-address",
  "x-envoy-decorator-operation",
  "x-envoy-downstream-service-cluster",
  "x-envoy-downstream-service-node",
  "x-envoy-original-path",
  "x-envoy-original-host",
];

export function forgedHeaders(edge: boolean): ReadonlySet<string> {
  return new Set(edge ? AT_EDGE : INSIDE);
}

/** The n-th address from the right of x-forwarded-for (1 = last), or undefined when there is none that is an address. */
function forwardedAddress(forwardedFor: string, fromRight: number): string | undefined {
  if (forwardedFor === "") return undefined;
  const parts = forwardedFor.split(",");
  const address = parts[parts.length - fromRight]?.trim();
  return address !== undefined && isIP(address) !== 0 ? address : undefined;
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** Runs before matching. Rewrites the head's forwarded fields; what it left unchanged is forwarded as it came. */
export function admitCaller(exchange: Exchange): void {
  const { head } = exchange;
  const { arrival } = exchange.caller;
  const config = exchange.config;
  const peer = arrival.remoteAddress;
  const hops = config.xffNumTrustedHops;
  const spoken = arrival.tls === undefined ? "http" : "https";
  let client = peer;
  let clientPort = arrival.remotePort;

  if (config.useRemoteAddress) {
    if (hops > 0) {
      const forwarded = forwardedAddress(head.forwardedFor, hops);
      if (forwarded !== undefined) {
        client = forwarded;
        clientPort = 0;
      }
    }
    // A caller at a Unix socket has no address to tell.
    if (!config.skipXffAppend && !isSocketPath(peer)) {
      const address = isLoopback(peer) ? exchange.manager.env.localAddress : peer;
      head.forwardedFor = head.forwardedFor === "" ? address : `${head.forwardedFor},${address}`;
    }
    if (hops === 0 || (head.forwardedProto === "" && !head.emptyProto)) head.forwardedProto = spoken;
  } else {
    const forwarded = forwardedAddress(head.forwardedFor, hops + 1);
    if (forwarded !== undefined) {
      client = forwarded;
      clientPort = 0;
    }
    if (head.forwardedProto === "" && !head.emptyProto) head.forwardedProto = spoken;
  }
  if (head.clientCert !== "" || arrival.tls !== undefined) head.clientCert = clientCertHeader(config, arrival.tls, head.clientCert);
  // Behind no trusted proxy a caller's word does not count.
  if (config.appendXForwardedPort && ((config.useRemoteAddress && hops === 0) || head.first("x-forwarded-port") === undefined))
    head.forwardedPort = String(arrival.localPort);
  exchange.edge = config.useRemoteAddress;
  exchange.clientIp = client;
  exchange.clientPort = clientPort;
  head.forged = exchange.edge ? exchange.manager.forgedAtEdge : exchange.manager.forgedInside;

  if (config.generateRequestId && (head.requestId === "" || (exchange.edge && !config.preserveExternalRequestId)))
    head.requestId = newRequestId();
  if (config.schemeToOverwrite !== "") {
    head.scheme = config.schemeToOverwrite;
    head.pristine = false;
  } else if (head.scheme === "") head.scheme = schemeOf(head, spoken);
}

/** What x-forwarded-proto says where that is a scheme, else what was spoken. */
function schemeOf({ forwardedProto }: RequestHead, spoken: string): string {
  if (forwardedProto === "http") return "http";
  const lower = forwardedProto.toLowerCase();
  return lower === "https" || lower === "http" ? lower : spoken;
}
