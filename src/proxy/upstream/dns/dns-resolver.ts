// Hosts file, then DNS by c-ares, as Envoy's default resolver does it. Not the system's getaddrinfo: that says no TTL, and takes a thread of
// the four that files need too for as long as a DNS server is silent. On macOS, as in Envoy, the system decides.
import { lookup, promises as dns } from "node:dns";
import { isIP } from "node:net";
import type { DnsResolverConfig } from "../../config/index.ts";
import { createHostsFile, type HostsFile } from "./hosts-file.ts";
import { byFamily, type DnsAnswer, NO_ADDRESSES, type Resolver } from "./resolver.ts";
import { readSearchList, type SearchList, searchNames } from "./search-list.ts";

/** An answer, but one that says there is nothing. */
const NO_RECORDS: ReadonlySet<unknown> = new Set(["ENODATA", "ENOTFOUND"]);

interface DnsParts {
  readonly hosts: HostsFile;
  readonly search: SearchList;
  readonly servers: readonly string[];
}

function createDnsResolver({ hosts, search, servers }: DnsParts): Resolver {
  const server = new dns.Resolver();
  if (servers.length > 0) server.setServers(servers);

  async function query(name: string, family: 4 | 6): Promise<DnsAnswer | undefined> {
    try {
      const records = family === 4 ? await server.resolve4(name, { ttl: true }) : await server.resolve6(name, { ttl: true });
      const ttl = Math.min(...records.map((record) => record.ttl));
      return { addresses: records.map(({ address }) => address), ttlMs: Number.isFinite(ttl) ? ttl * 1000 : undefined };
    } catch (error) {
      return NO_RECORDS.has((error as NodeJS.ErrnoException).code) ? NO_ADDRESSES : undefined;
    }
  }

  async function ask(name: string, family: 4 | 6): Promise<DnsAnswer | undefined> {
    const written = await hosts.addresses(name, family);
    if (written !== undefined) return { addresses: written, ttlMs: undefined };
    let failed = false;
    for (const full of searchNames(name, search)) {
      const answer = await query(full, family);
      if (answer !== undefined && answer.addresses.length > 0) return answer;
      failed ||= answer === undefined;
    }
    return failed ? undefined : NO_ADDRESSES;
  }

  return { resolve: async (name, family) => literal(name) ?? byFamily(family, (one) => ask(name, one)) };
}

const systemResolver: Resolver = {
  resolve: async (name, family) => literal(name) ?? byFamily(family, (one) => lookupAll(name, one)),
};

function lookupAll(name: string, family: 4 | 6): Promise<DnsAnswer | undefined> {
  return new Promise((done) => {
    lookup(name, { all: true, family, order: "verbatim" }, (error, found) => {
      if (error === null) done({ addresses: found.map(({ address }) => address), ttlMs: undefined });
      else done(error.code === "ENOTFOUND" ? NO_ADDRESSES : undefined);
    });
  });
}

function literal(name: string): DnsAnswer | undefined {
  return isIP(name) === 0 ? undefined : { addresses: [name], ttlMs: undefined };
}

/** One resolver for all that are configured alike. */
export type ResolverFor = (config: DnsResolverConfig) => Resolver;

export interface ResolverFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

export function createResolvers(files: ResolverFiles = { hosts: "/etc/hosts", resolvConf: "/etc/resolv.conf" }): ResolverFor {
  const made = new Map<string, Resolver>();
  let shared: Pick<DnsParts, "hosts" | "search"> | undefined;
  return ({ kind, servers }) => {
    if (kind === "system" || (process.platform !== "linux" && servers.length === 0)) return systemResolver;
    const key = servers.join();
    let resolver = made.get(key);
    if (resolver === undefined) {
      shared ??= { hosts: createHostsFile(files.hosts), search: readSearchList(files.resolvConf) };
      made.set(key, (resolver = createDnsResolver({ ...shared, servers })));
    }
    return resolver;
  };
}
