import { expect, test } from "vitest";
import type { FilterChain, FilterChainMatch, Listener } from "../config/index.ts";
import { ANY_CONNECTION } from "../testing/config.ts";
import { type ConnectionFacts, matchFilterChain } from "./filter-chain-match.ts";

function listener(chains: Readonly<Record<string, Partial<FilterChainMatch>>>, fallback?: string): Listener {
  const chain = (name: string, match: Partial<FilterChainMatch>) => ({ name, match: { ...ANY_CONNECTION, ...match } }) as FilterChain;
  return {
    filterChains: Object.entries(chains).map(([name, match]) => chain(name, match)),
    defaultFilterChain: fallback === undefined ? undefined : chain(fallback, {}),
  } as unknown as Listener;
}

const plain: ConnectionFacts = {
  localAddress: "10.0.0.1",
  localPort: 80,
  remoteAddress: "10.0.0.2",
  remotePort: 40_000,
  transport: "raw_buffer",
  serverName: "",
  applicationProtocols: ["http/1.1"],
};
const tls = (serverName: string): ConnectionFacts => ({ ...plain, transport: "tls", serverName, applicationProtocols: [] });
const range = (address: string, prefix: number) => [{ address, prefix }];

test.each<[string, Listener, ConnectionFacts, string | undefined]>([
  ["one for all", listener({ a: {} }), plain, "a"],
  ["HTTP before what is unknown", listener({ tcp: {}, http: { applicationProtocols: ["http/1.1"] } }), plain, "http"],
  ["unknown bytes", listener({ tcp: {}, http: { applicationProtocols: ["http/1.1"] } }), { ...plain, applicationProtocols: [] }, "tcp"],
  ["plaintext only", listener({ tls: { transportProtocol: "tls" } }), plain, undefined],
  [
    "the longest prefix",
    listener({ wide: { prefixRanges: range("10.0.0.0", 8) }, narrow: { prefixRanges: range("10.0.0.1", 32) } }),
    plain,
    "narrow",
  ],
  ["another prefix", listener({ other: { prefixRanges: range("10.1.0.0", 16) } }, "fallback"), plain, "fallback"],
  ["port before prefix", listener({ prefix: { prefixRanges: range("10.0.0.1", 32) }, port: { destinationPort: 80 } }), plain, "port"],
  ["exact server name", listener({ wild: { serverNames: ["*.a.com"] }, exact: { serverNames: ["x.a.com"] } }), tls("x.a.com"), "exact"],
  ["the longest wildcard", listener({ short: { serverNames: ["*.com"] }, long: { serverNames: ["*.a.com"] } }), tls("y.a.com"), "long"],
  ["a foreign server name", listener({ a: { serverNames: ["a.com"] } }), tls("b.com"), undefined],
])("%s", (_name, listener, facts, expected) => {
  expect(matchFilterChain(listener, facts)?.name).toBe(expected);
});
