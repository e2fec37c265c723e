// Free ports on loopback for processes that are told where to listen. Taken from below the ephemeral range, so that an outgoing connection
// cannot sit on the port of a process that is just being restarted.
import { createServer } from "node:net";
import { type Rng, SerinError } from "../kit/index.ts";

const FIRST = 20_000;
const LAST = 32_000;

export interface Ports {
  take(): Promise<number>;
  /** The first free one from `from` on, at most 100 further. */
  takeFrom(from: number): Promise<number>;
  give(port: number): void;
}

export function createPorts(options: { readonly rng: Rng; readonly isFree?: (port: number) => Promise<boolean> }): Ports {
  const isFree = options.isFree ?? isPortFree;
  const taken = new Set<number>();
  let next = FIRST + Math.floor(options.rng.random() * (LAST - FIRST));
  async function tryTake(port: number): Promise<boolean> {
    if (taken.has(port)) return false;
    // Before the check, which gives way to others.
    taken.add(port);
    if (await isFree(port)) return true;
    taken.delete(port);
    return false;
  }
  return {
    async take() {
      for (let i = 0; i < LAST - FIRST; i++) {
        const port = next;
        next = next + 1 >= LAST ? FIRST : next + 1;
        if (await tryTake(port)) return port;
      }
      throw new SerinError("PORTS_EXHAUSTED", `no port from ${FIRST} to ${LAST} is free`, { fix: "Stop what uses them." });
    },
    async takeFrom(from) {
      for (let port = from; port < from + 100; port++) if (await tryTake(port)) return port;
      throw new SerinError("PORTS_EXHAUSTED", `no port from ${from} to ${from + 99} is free`, {
        fix: "Give another one with --gateway-port.",
      });
    },
    give: (port) => void taken.delete(port),
  };
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
