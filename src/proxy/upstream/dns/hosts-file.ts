// /etc/hosts, which DNS knows nothing of: read again when it has changed.
// https://man7.org/linux/man-pages/man5/hosts.5.html
import { isIP } from "node:net";
import { watchFile } from "./watched-file.ts";

export interface HostsFile {
  /** undefined = it says nothing about that name, whatever the family. */
  addresses(name: string, family: 4 | 6): Promise<readonly string[] | undefined>;
}

export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = (line.split("#", 1)[0] ?? "").trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const before = found.get(key);
      if (before === undefined) found.set(key, [address]);
      else if (!before.includes(address)) before.push(address);
    }
  }
  return found;
}

const LOOPBACK = { 4: ["127.0.0.1"], 6: ["::1"] } as const;

export function createHostsFile(path: string): HostsFile {
  const current = watchFile(path, parseHosts);
  return {
    async addresses(name, family) {
      const key = name.toLowerCase().replace(/\.$/, "");
      const known = (await current()).get(key);
      if (known !== undefined) return known.filter((address) => isIP(address) === family);
      // No DNS server is ever asked for these: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
      return key === "localhost" || key.endsWith(".localhost") ? LOOPBACK[family] : undefined;
    },
  };
}
