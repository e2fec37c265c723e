import { expect, test } from "vitest";
import type { FilterChain, FilterChainMatch, Listener } from "../../proxy/config/index.ts";
import { chooseChain, type ConnectionFacts } from "./filter-chain.ts";

const ANY: FilterChainMatch = {
  destinationPort: undefined,
  prefixRanges: [],
  sourcePrefixRanges: [],
  sourcePorts: [],
  transportProtocol: "",
  serverNames: [],
  applicationProtocols: [],
};

function listener(chains: Readonly<Record<string, Partial<FilterChainMatch>>>, fallback?: string): Listener {
  const chain = (name: string, match: Partial<FilterChainMatch>) => ({ name, match: { ...ANY, ...match } }) as FilterChain;
  return {
    filterChains: Object.entries(chains).map(([name, match]) => chain(name, match)),
    defaultFilterChain: fallback === undefined ? undefined : chain(fallback, {}),
  } as unknown as Listener;
}

const plain: ConnectionFacts = { destination: { address: "10.0.0.1", port: 80 }, tls: false, serverName: "", protocol: "http/1.1" };
const tls = (serverName: string): ConnectionFacts => ({ ...plain, tls: true, serverName, protocol: "" });
const range = (address: string, prefix: number) => [{ address, prefix }];

test.each<[string, Listener, ConnectionFacts, string | undefined]>([
  ["one for all", listener({ a: {} }), plain, "a"],
  ["HTTP before what is unknown", listener({ tcp: {}, http: { applicationProtocols: ["http/1.1"] } }), plain, "http"],
  ["unknown bytes", listener({ tcp: {}, http: { applicationProtocols: ["http/1.1"] } }), { ...plain, protocol: "" }, "tcp"],
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
  expect(chooseChain(listener, facts).chain?.name).toBe(expected);
});
