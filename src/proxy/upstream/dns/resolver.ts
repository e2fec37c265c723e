// What looks names up, as the rest of the proxy sees it.
import type { DnsFamily } from "../../config/index.ts";

export interface DnsAnswer {
  /** In the order of the answer; empty = the name has none. */
  readonly addresses: readonly string[];
  /** How long the answer is good for; undefined = it does not say. */
  readonly ttlMs: number | undefined;
  /** Nobody could say, which is not the same as that there are none. */
  readonly failed: boolean;
  /** Why there are no addresses, in Envoy's words for access logs. */
  readonly problem: string;
}

export interface Resolver {
  /** Never rejects. */
  resolve(name: string, family: DnsFamily): Promise<DnsAnswer>;
}

export function found(addresses: readonly string[], ttlMs?: number): DnsAnswer {
  return { addresses, ttlMs, failed: false, problem: addresses.length === 0 ? "cares_norecords:Domain_name_not_found" : "" };
}

/** Asks for one family after the other, or for both, as the config wants it. */
export async function byFamily(family: DnsFamily, ask: (family: 4 | 6) => Promise<DnsAnswer>): Promise<DnsAnswer> {
  switch (family) {
    case "V4_ONLY":
      return ask(4);
    case "V6_ONLY":
      return ask(6);
    case "AUTO":
    case "V4_PREFERRED": {
      const [first, second] = family === "AUTO" ? ([6, 4] as const) : ([4, 6] as const);
      const preferred = await ask(first);
      return preferred.addresses.length > 0 ? preferred : ask(second);
    }
    case "ALL": {
      const [four, six] = await Promise.all([ask(4), ask(6)]);
      const answers = [four, six].filter(({ failed }) => !failed);
      if (answers.length === 0) return four;
      const ttls = answers.flatMap(({ ttlMs }) => (ttlMs === undefined ? [] : [ttlMs]));
      const addresses = answers.flatMap((answer) => answer.addresses);
      return found(addresses, ttls.length === 0 ? undefined : Math.min(...ttls));
    }
  }
}
