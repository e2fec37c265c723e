import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DnsServer, startDns } from "../../testing/dns-server.ts";
import { createResolvers } from "./dns-resolver.ts";
import { createHostsFile, parseHosts } from "./hosts-file.ts";
import type { Resolver } from "./resolver.ts";
import { parseSearchList, searchNames } from "./search-list.ts";

let dns: DnsServer;
let dir: string;
let hosts: string;
let resolvConf: string;
let resolver: Resolver;

function reopen(): void {
  resolver = createResolvers({ hosts, resolvConf })({ kind: "dns", servers: [dns.address] });
}

beforeEach(async () => {
  dns = await startDns({
    "both.example": { addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"], ttl: 7 },
    "six.example": { addresses: ["2001:db8::6"], ttl: 30 },
    "four.example": { addresses: ["192.0.2.4"], ttl: 3 },
    "broken.example": "SERVFAIL",
    "web.shop.svc.local": { addresses: ["192.0.2.80"], ttl: 5 },
  });
  dir = mkdtempSync(path.join(tmpdir(), "serin-dns-"));
  hosts = path.join(dir, "hosts");
  resolvConf = path.join(dir, "resolv.conf");
  writeFileSync(
    hosts,
    "127.0.0.1 localhost # this machine\n192.0.2.99 Pinned.example other.example\n2001:db8::99 pinned.example\nnonsense x.example\n",
  );
  writeFileSync(resolvConf, "search shop.svc.local svc.local\noptions ndots:2\n");
  reopen();
});

afterEach(() => {
  dns.stop();
  rmSync(dir, { recursive: true });
});

describe("names by DNS", () => {
  test.each([
    ["V4_ONLY", "both.example", ["192.0.2.1", "192.0.2.2"]],
    ["V6_ONLY", "both.example", ["2001:db8::1"]],
    ["AUTO", "both.example", ["2001:db8::1"]],
    ["AUTO", "four.example", ["192.0.2.4"]],
    ["V4_PREFERRED", "both.example", ["192.0.2.1", "192.0.2.2"]],
    ["V4_PREFERRED", "six.example", ["2001:db8::6"]],
    ["ALL", "both.example", ["192.0.2.1", "192.0.2.2", "2001:db8::1"]],
    ["V4_ONLY", "six.example", []],
  ] as const)("%s of %s", async (family, name, addresses) => {
    expect((await resolver.resolve(name, family))?.addresses.toSorted()).toEqual([...addresses].sort());
  });

  test("the answer says how long it is good for", async () => {
    expect((await resolver.resolve("both.example", "V4_ONLY"))?.ttlMs).toBe(7000);
    expect((await resolver.resolve("both.example", "ALL"))?.ttlMs).toBe(7000);
  });

  test("a name that does not exist has no addresses; a server that fails is no answer", async () => {
    expect(await resolver.resolve("none.example", "V4_ONLY")).toMatchObject({
      addresses: [],
      failed: false,
      problem: "cares_norecords:Domain_name_not_found",
    });
    expect(await resolver.resolve("broken.example", "V4_ONLY")).toMatchObject({ addresses: [], failed: true });
    expect(await resolver.resolve("broken.example", "ALL")).toMatchObject({ addresses: [], failed: true });
  });

  test("short names are searched for, with and without the domains by their dots", async () => {
    expect((await resolver.resolve("web", "V4_ONLY"))?.addresses).toEqual(["192.0.2.80"]);
    expect((await resolver.resolve("web.shop", "V4_ONLY"))?.addresses).toEqual(["192.0.2.80"]);
    expect((await resolver.resolve("web.", "V4_ONLY"))?.addresses).toEqual([]);
    expect(dns.asked).toEqual(["web.shop.svc.local A", "web.shop.shop.svc.local A", "web.shop.svc.local A", "web A"]);
  });

  test("another resolv.conf counts with the next lookup", async () => {
    expect((await resolver.resolve("web", "V4_ONLY"))?.addresses).toEqual(["192.0.2.80"]);
    writeFileSync(resolvConf, "search example\n");
    expect((await resolver.resolve("web", "V4_ONLY")).addresses).toEqual([]);
    expect((await resolver.resolve("four", "V4_ONLY")).addresses).toEqual(["192.0.2.4"]);
    rmSync(resolvConf);
    expect((await resolver.resolve("four", "V4_ONLY")).addresses).toEqual([]);
  });

  test("an address is itself", async () => {
    expect(await resolver.resolve("192.0.2.7", "V6_ONLY")).toMatchObject({ addresses: ["192.0.2.7"], ttlMs: undefined, failed: false });
    expect(dns.asked).toEqual([]);
  });
});

describe("names of this machine", () => {
  test("the hosts file comes before DNS, in any case, by family, without a TTL", async () => {
    expect(await resolver.resolve("pinned.EXAMPLE", "V4_ONLY")).toMatchObject({ addresses: ["192.0.2.99"], ttlMs: undefined });
    expect((await resolver.resolve("pinned.example.", "V6_ONLY"))?.addresses).toEqual(["2001:db8::99"]);
    expect((await resolver.resolve("other.example", "V6_ONLY"))?.addresses).toEqual([]);
    expect(dns.asked).toEqual([]);
  });

  test("localhost needs neither file nor server", async () => {
    rmSync(hosts);
    reopen();
    expect((await resolver.resolve("localhost", "V4_ONLY"))?.addresses).toEqual(["127.0.0.1"]);
    expect((await resolver.resolve("app.localhost", "V6_ONLY"))?.addresses).toEqual(["::1"]);
    expect(dns.asked).toEqual([]);
  });

  test("a changed file counts with the next lookup", async () => {
    const file = createHostsFile(hosts);
    expect(await file.addresses("new.example", 4)).toBeUndefined();
    writeFileSync(hosts, "192.0.2.50 new.example\n");
    expect(await file.addresses("new.example", 4)).toEqual(["192.0.2.50"]);
    expect(await file.addresses("pinned.example", 4)).toBeUndefined();
  });

  test("what is no address is no line", () => {
    expect([...parseHosts("a b\n# 192.0.2.1 c\n 192.0.2.2\td  e\n192.0.2.3 d").entries()]).toEqual([
      ["d", ["192.0.2.2", "192.0.2.3"]],
      ["e", ["192.0.2.2"]],
    ]);
  });
});

describe("the search list", () => {
  test("the last search line counts, and ndots", () => {
    expect(parseSearchList("domain a\nsearch b. c\nnameserver 192.0.2.1\noptions rotate ndots:5")).toEqual({
      domains: ["b", "c"],
      ndots: 5,
    });
    expect(parseSearchList("")).toEqual({ domains: [], ndots: 1 });
  });

  test("a name with enough dots is asked for first as it stands", () => {
    const list = { domains: ["b"], ndots: 1 };
    expect(searchNames("a", list)).toEqual(["a.b", "a"]);
    expect(searchNames("a.x", list)).toEqual(["a.x", "a.x.b"]);
    expect(searchNames("a.", list)).toEqual(["a"]);
  });
});
