// The files of listeners on Unix sockets. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/address.proto#config-core-v3-pipe
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { systemPath } from "../transport/socket-path.ts";

/** Gives the system's path. What an earlier process left there makes room; a file that is no socket does not. */
export function prepareSocket(path: string): string {
  if (path.startsWith("@")) return systemPath(path);
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Nothing is there, or the listener will say what is wrong.
  }
  return path;
}

export function setSocketMode(path: string, mode: number): void {
  if (!path.startsWith("@")) chmodSync(path, mode);
}
