// Which filter chain of a listener takes a connection: Envoy narrows down by destination port, address, server name, transport protocol
// and application protocol, in this order, the most specific first (config.listener.v3.FilterChainMatch).
import { BlockList, isIP } from "node:net";
import type { FilterChain, Listener } from "../../proxy/config/index.ts";

export interface ConnectionFacts {
  readonly destination: { readonly address: string; readonly port: number };
  readonly tls: boolean;
  readonly serverName: string;
  /** ALPN, or what the HTTP inspector found; empty when unknown. */
  readonly protocol: string;
}

export function chooseChain(
  listener: Listener,
  facts: ConnectionFacts,
): { readonly chain: FilterChain | undefined; readonly why: readonly string[] } {
  let left: readonly FilterChain[] = listener.filterChains;
  left = narrow(left, (chain) =>
    chain.match.destinationPort === undefined ? 0 : chain.match.destinationPort === facts.destination.port ? 1 : -1,
  );
  left = narrow(left, (chain) => prefixScore(chain.match.prefixRanges, facts.destination.address));
  left = narrow(left, (chain) => serverNameScore(chain.match.serverNames, facts.serverName));
  left = narrow(left, (chain) =>
    chain.match.transportProtocol === "" ? 0 : chain.match.transportProtocol === (facts.tls ? "tls" : "raw_buffer") ? 1 : -1,
  );
  left = narrow(left, (chain) =>
    chain.match.applicationProtocols.length === 0 ? 0 : chain.match.applicationProtocols.includes(facts.protocol) ? 1 : -1,
  );
  const [chain] = left;
  if (chain !== undefined)
    return {
      chain,
      why:
        listener.filterChains.length > 1
          ? [`filter chain ${chain.name === "" ? "1" : chain.name} of ${listener.filterChains.length} fits`]
          : [],
    };
  const fallback = listener.defaultFilterChain;
  return { chain: fallback, why: fallback === undefined ? [] : ["no filter chain fits, the default one takes it"] };
}

/** Keeps the chains with the highest score; a negative one is no match. */
function narrow(chains: readonly FilterChain[], score: (chain: FilterChain) => number): readonly FilterChain[] {
  const scored = chains.map((chain) => ({ chain, value: score(chain) })).filter(({ value }) => value >= 0);
  const best = Math.max(...scored.map(({ value }) => value));
  return scored.filter(({ value }) => value === best).map(({ chain }) => chain);
}

function prefixScore(ranges: FilterChain["match"]["prefixRanges"], address: string): number {
  if (ranges.length === 0) return 0;
  const version = isIP(address);
  if (version === 0) return -1;
  const family = version === 6 ? "ipv6" : "ipv4";
  const fitting = ranges.filter((range) => {
    if (isIP(range.address) !== version) return false;
    const list = new BlockList();
    list.addSubnet(range.address, range.prefix, family);
    return list.check(address, family);
  });
  return fitting.length === 0 ? -1 : 1 + Math.max(...fitting.map((range) => range.prefix));
}

/** Exact, then the longest wildcard, then none. */
function serverNameScore(names: readonly string[], serverName: string): number {
  if (names.length === 0) return 0;
  const scores = names.map((name) => {
    if (name === serverName) return 10_000;
    return name.startsWith("*.") && serverName.endsWith(name.slice(1)) ? name.length : -1;
  });
  return Math.max(...scores);
}
