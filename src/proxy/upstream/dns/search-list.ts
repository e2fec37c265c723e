// The names that a short name may stand for (`search` and `ndots` of resolv.conf), in the order they are asked for.
// https://man7.org/linux/man-pages/man5/resolv.conf.5.html

export interface SearchList {
  readonly domains: readonly string[];
  /** A name with so many dots is asked for as it stands before it is tried with a domain. */
  readonly ndots: number;
}

export function parseSearchList(text: string): SearchList {
  let domains: string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [word, ...rest] = line.trim().split(/\s+/);
    // The last of several counts.
    if (word === "search" || word === "domain") domains = rest.map((domain) => domain.replace(/\.$/, "")).filter((domain) => domain !== "");
    if (word !== "options") continue;
    for (const option of rest) {
      const dots = /^ndots:(\d{1,2})$/.exec(option)?.[1];
      if (dots !== undefined) ndots = Math.min(15, Number(dots));
    }
  }
  return { domains, ndots };
}

export function searchNames(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const longer = domains.map((domain) => `${name}.${domain}`);
  return name.split(".").length - 1 >= ndots ? [name, ...longer] : [...longer, name];
}
