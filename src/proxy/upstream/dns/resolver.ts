// What looks names up, as the rest of the proxy sees it.
import type { DnsFamily } from "../../config/index.ts";

export interface DnsAnswer {
  /** In the order of the answer; empty = the name has none. */
  readonly addresses: readonly string[];
  /** How long the answer is good for; undefined = it does not say. */
  readonly ttlMs: number | undefined;
}

export interface Resolver {
  /** undefined = nobody could say. Never rejects. */
  resolve(name: string, family: DnsFamily): Promise<DnsAnswer | undefined>;
}

export const NO_ADDRESSES: DnsAnswer = { addresses: [], ttlMs: undefined };

/** Asks for one family after the other, or for both, as the config wants it. */
export async function byFamily(family: DnsFamily, ask: (family: 4 | 6) => Promise<DnsAnswer | undefined>): Promise<DnsAnswer | undefined> {
  switch (family) {
    case "V4_ONLY":
      return ask(4);
    case "V6_ONLY":
      return ask(6);
    case "AUTO":
    case "V4_PREFERRED": {
      const [first, second] = family === "AUTO" ? ([6, 4] as const) : ([4, 6] as const);
      const preferred = await ask(first);
      return preferred !== undefined && preferred.addresses.length > 0 ? preferred : ask(second);
    }
    case "ALL": {
      const answers = (await Promise.all([ask(4), ask(6)])).filter((answer) => answer !== undefined);
      if (answers.length === 0) return undefined;
      const ttls = answers.flatMap(({ ttlMs }) => (ttlMs === undefined ? [] : [ttlMs]));
      return { addresses: answers.flatMap(({ addresses }) => addresses), ttlMs: ttls.length === 0 ? undefined : Math.min(...ttls) };
    }
  }
}
