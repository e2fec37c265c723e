// Open-loop load beside a row whose own process is busy with an attack: what that does must not count as the proxy's delay.
import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { OpenLoadOptions, OpenLoadResult } from "./open-load.ts";

export interface LoadApart {
  stop(): Promise<OpenLoadResult>;
}

export async function startLoadApart(options: OpenLoadOptions): Promise<LoadApart> {
  // Results hold maps.
  const child = fork(path.join(import.meta.dirname, "load-process.ts"), { serialization: "advanced" });
  await once(child, "spawn");
  child.send(options);
  return {
    async stop() {
      const ended = once(child, "message");
      child.send(options);
      const [result] = (await ended) as [OpenLoadResult];
      child.kill("SIGKILL");
      return result;
    },
  };
}
