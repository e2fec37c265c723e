// Hosts file, then DNS by c-ares, as Envoy's default resolver does it. Not the system's getaddrinfo: that says no TTL, and takes a thread of
// the four that files need too for as long as a DNS server is silent. On macOS, as in Envoy, the system decides.
import { lookup, promises as dns } from "node:dns";
import { isIP } from "node:net";
import type { DnsResolverConfig } from "../../config/index.ts";
import { createHostsFile, type HostsFile } from "./hosts-file.ts";
import { byFamily, type DnsAnswer, found, type Resolver } from "./resolver.ts";
import { parseSearchList, type SearchList, searchNames } from "./search-list.ts";
import { watchFile } from "./watched-file.ts";

/** c-ares' own words. The first two are answers that there is nothing. */
const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["ENODATA", "DNS server returned answer with no data"],
  ["ENOTFOUND", "Domain name not found"],
  ["ESERVFAIL", "DNS server returned general failure"],
  ["EFORMERR", "DNS server claims query was misformatted"],
  ["ENOTIMP", "DNS server does not implement requested operation"],
  ["EREFUSED", "DNS server refused query"],
  ["ECONNREFUSED", "Could not contact DNS servers"],
  ["ETIMEOUT", "Timeout while contacting DNS servers"],
]);
const NO_RECORDS: ReadonlySet<unknown> = new Set(["ENODATA", "ENOTFOUND"]);

function problem(error: unknown): DnsAnswer {
  const { code } = error as NodeJS.ErrnoException;
  const failed = !NO_RECORDS.has(code);
  const words = WORDS.get(code) ?? String(code);
  return {
    addresses: [],
    ttlMs: undefined,
    failed,
    problem: `${failed ? "cares_failure" : "cares_norecords"}:${words.replaceAll(" ", "_")}`,
  };
}

interface DnsParts {
  readonly hosts: HostsFile;
  readonly resolvConf: string;
  /** Empty = those of the system. */
  readonly servers: readonly string[];
}

interface DnsSettings {
  readonly server: dns.Resolver;
  readonly search: SearchList;
}

function createDnsResolver({ hosts, resolvConf, servers }: DnsParts): Resolver {
  // The machine's servers change with its network; whoever asks them has read that file when it was made.
  const settings = watchFile(resolvConf, (text): DnsSettings => {
    const server = new dns.Resolver();
    if (servers.length > 0) server.setServers(servers);
    return { server, search: parseSearchList(text) };
  });

  async function query(server: dns.Resolver, name: string, family: 4 | 6): Promise<DnsAnswer> {
    try {
      const records = family === 4 ? await server.resolve4(name, { ttl: true }) : await server.resolve6(name, { ttl: true });
      const ttl = Math.min(...records.map((record) => record.ttl));
      return found(
        records.map(({ address }) => address),
        Number.isFinite(ttl) ? ttl * 1000 : undefined,
      );
    } catch (error) {
      return problem(error);
    }
  }

  async function ask(name: string, family: 4 | 6): Promise<DnsAnswer> {
    const written = await hosts.addresses(name, family);
    if (written !== undefined) return found(written);
    const { server, search } = await settings();
    let worst: DnsAnswer | undefined;
    for (const full of searchNames(name, search)) {
      const answer = await query(server, full, family);
      if (answer.addresses.length > 0) return answer;
      if (worst?.failed !== true) worst = answer;
    }
    return worst ?? found([]);
  }

  return { resolve: async (name, family) => literal(name) ?? byFamily(family, (one) => ask(name, one)) };
}

const systemResolver: Resolver = {
  resolve: async (name, family) => literal(name) ?? byFamily(family, (one) => lookupAll(name, one)),
};

function lookupAll(name: string, family: 4 | 6): Promise<DnsAnswer> {
  return new Promise((done) => {
    lookup(name, { all: true, family, order: "verbatim" }, (error, all) => {
      done(error === null ? found(all.map(({ address }) => address)) : problem(error));
    });
  });
}

function literal(name: string): DnsAnswer | undefined {
  return isIP(name) === 0 ? undefined : found([name]);
}

/** One resolver for all that are configured alike. */
export type ResolverFor = (config: DnsResolverConfig) => Resolver;

export interface ResolverFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

export function createResolvers(files: ResolverFiles = { hosts: "/etc/hosts", resolvConf: "/etc/resolv.conf" }): ResolverFor {
  const made = new Map<string, Resolver>();
  let hosts: HostsFile | undefined;
  return ({ kind, servers }) => {
    if (kind === "system" || (process.platform !== "linux" && servers.length === 0)) return systemResolver;
    const key = servers.join();
    let resolver = made.get(key);
    if (resolver === undefined) {
      hosts ??= createHostsFile(files.hosts);
      made.set(key, (resolver = createDnsResolver({ hosts, resolvConf: files.resolvConf, servers })));
    }
    return resolver;
  };
}
