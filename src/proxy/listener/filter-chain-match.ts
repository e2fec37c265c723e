// Which filter chain a connection belongs to: Envoy narrows criterion by criterion, the most specific value of each wins.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto (FilterChainMatch)
import { BlockList, isIP } from "node:net";
import type { FilterChain, Listener } from "../config/index.ts";

export interface ConnectionFacts {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** "raw_buffer" or "tls". */
  readonly transport: string;
  /** Lower case. */
  readonly serverName: string;
  /** From ALPN or the HTTP inspector; empty = none seen. */
  readonly applicationProtocols: readonly string[];
}

type Score = (chain: FilterChain, facts: ConnectionFacts) => number | undefined;

/** Each says how specific a chain's match is; undefined = it does not match. Order as in Envoy. */
const CRITERIA: readonly Score[] = [
  (chain, facts) => exactOrAny(chain.match.destinationPort, facts.localPort),
  (chain, facts) => prefixScore(chain.match.prefixRanges, facts.localAddress),
  (chain, facts) => serverNameScore(chain.match.serverNames, facts.serverName),
  (chain, facts) => (chain.match.transportProtocol === "" ? 0 : chain.match.transportProtocol === facts.transport ? 1 : undefined),
  (chain, facts) => protocolScore(chain.match.applicationProtocols, facts.applicationProtocols),
  (chain, facts) => prefixScore(chain.match.sourcePrefixRanges, facts.remoteAddress),
  (chain, facts) => listScore(chain.match.sourcePorts, (port) => port === facts.remotePort),
];

export function matchFilterChain(listener: Listener, facts: ConnectionFacts): FilterChain | undefined {
  let candidates = listener.filterChains;
  for (const score of CRITERIA) {
    let best: number | undefined;
    let kept: FilterChain[] = [];
    for (const chain of candidates) {
      const value = score(chain, facts);
      if (value === undefined) continue;
      if (best === undefined || value > best) {
        best = value;
        kept = [chain];
      } else if (value === best) kept.push(chain);
    }
    candidates = kept;
    if (candidates.length === 0) break;
  }
  return candidates[0] ?? listener.defaultFilterChain;
}

function exactOrAny(wanted: number | undefined, have: number): number | undefined {
  if (wanted === undefined) return 0;
  return wanted === have ? 1 : undefined;
}

function listScore<T>(wanted: readonly T[], holds: (item: T) => boolean): number | undefined {
  if (wanted.length === 0) return 0;
  return wanted.some(holds) ? 1 : undefined;
}

/** The protocol that the caller named first counts most. */
function protocolScore(wanted: readonly string[], asked: readonly string[]): number | undefined {
  if (wanted.length === 0) return 0;
  const at = asked.findIndex((protocol) => wanted.includes(protocol));
  return at < 0 ? undefined : asked.length - at;
}

function prefixScore(ranges: readonly { readonly address: string; readonly prefix: number }[], address: string): number | undefined {
  if (ranges.length === 0) return 0;
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  let best: number | undefined;
  for (const range of ranges) {
    if ((isIP(range.address) === 6 ? "ipv6" : "ipv4") !== family) continue;
    const list = new BlockList();
    list.addSubnet(range.address, range.prefix, family);
    if (list.check(address, family) && (best === undefined || range.prefix + 1 > best)) best = range.prefix + 1;
  }
  return best;
}

/** Exact names beat wildcards, longer wildcards beat shorter ones. Both sides are in lower case. */
function serverNameScore(names: readonly string[], serverName: string): number | undefined {
  if (names.length === 0) return 0;
  let best: number | undefined;
  for (const name of names) {
    const score = name === serverName ? 10_000 : name.startsWith("*.") && serverName.endsWith(name.slice(1)) ? name.length : undefined;
    if (score !== undefined && (best === undefined || score > best)) best = score;
  }
  return best;
}
