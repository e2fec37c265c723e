// What the system is asked to connect to: an address and a port, a Unix socket, or the several addresses of one name, tried one after the other
// as Envoy does for logical DNS hosts: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/connection_pooling#happy-eyeballs-support
import { isIP, type NetConnectOpts } from "node:net";
import { isSocketPath, systemPath } from "../transport/socket-path.ts";

export interface ConnectTarget {
  /** An IP address, or the path of a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** All addresses of its name, the one above first; undefined = there is one. */
  readonly alternatives: readonly string[] | undefined;
}

/** Envoy's own delay before the next address is tried too. */
const NEXT_ADDRESS_MS = 300;

export function connectOptions({ address, port, alternatives }: ConnectTarget, localAddress: string | undefined): NetConnectOpts {
  if (isSocketPath(address)) return { path: systemPath(address), allowHalfOpen: true };
  const base = { port, noDelay: true, allowHalfOpen: true, ...(localAddress === undefined ? {} : { localAddress }) };
  if (alternatives === undefined || alternatives.length < 2) return { ...base, host: address };
  const all = alternatives.map((one) => ({ address: one, family: isIP(one) }));
  return {
    ...base,
    // Never looked up: only so that all addresses are asked for.
    host: "upstream",
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    lookup(_name, options, done) {
      if (options.all === true) done(null, all);
      else done(null, address, isIP(address));
    },
  };
}
