// The hosts of an ORIGINAL_DST cluster: made when a connection was going there, forgotten when nothing is left of it.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#original-destination
import { isIP } from "node:net";
import type { OriginalDestination } from "../config/index.ts";

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** `1.2.3.4:80` or `[::1]:80`; undefined when it is no address. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) return undefined;
  const port = /^\d{1,5}$/.test(text.slice(colon + 1)) ? Number(text.slice(colon + 1)) : Number.NaN;
  if (!(port <= 65_535)) return undefined;
  const host = text.slice(0, colon);
  if (!host.startsWith("[")) return isIP(host) === 4 ? { address: host, port } : undefined;
  const inner = host.slice(1, -1);
  return host.endsWith("]") && isIP(inner) === 6 ? { address: inner, port } : undefined;
}

export interface Wanted {
  readonly address: Address | undefined;
  /** The header was there and said nothing that can be used. */
  readonly invalid: boolean;
}

/** The header's address where the cluster reads one, else the connection's own. */
export function wantedAddress(
  config: OriginalDestination,
  from: { readonly header: string | undefined; readonly connection: string | undefined },
): Wanted {
  const named = config.header === undefined || from.header === undefined ? undefined : parseAddress(from.header);
  const invalid = config.header !== undefined && from.header !== undefined && named === undefined;
  const found = named ?? (from.connection === undefined ? undefined : parseAddress(from.connection));
  const address = found === undefined || config.port === undefined ? found : { ...found, port: config.port };
  return { address, invalid };
}
