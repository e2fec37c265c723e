// Waiting, polling a program's HTTP port, starting and ending programs with a log file each.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import http from "node:http";
import path from "node:path";

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `condition` holds, or throws after `ms`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, ms: number): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await condition()) return;
    await sleep(15);
  }
  throw new Error(`not ready: ${what}`);
}

/** Waits until `read` gives the same text for `still` ms (undefined = not yet); gives up after `max` ms. */
export async function settled(read: () => Promise<string | undefined>, still: number, max: number): Promise<boolean> {
  const end = Date.now() + max;
  let last: string | undefined;
  let since = Date.now();
  while (Date.now() < end) {
    const now = await read();
    if (now === undefined || now !== last) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since >= still) return true;
    await sleep(40);
  }
  return false;
}

/** GET from a loopback port; status 0 when nothing answers. */
export function get(port: number, url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const none = { status: 0, text: "" };
    const request = http.get({ host: "127.0.0.1", port, path: url, timeout: 1000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (b: Buffer) => chunks.push(b));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.on("error", () => resolve(none));
    });
    request.on("error", () => resolve(none));
    request.on("timeout", () => request.destroy());
  });
}

export interface Programs {
  start(log: string, command: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  /** Ends all and waits until they are gone. */
  stopAll(): Promise<void>;
  log(name: string): string;
  tail(name: string): string;
}

/** The programs of one case: each gets a log file in the scratch folder, all are ended together. */
export function createPrograms(dir: string): Programs {
  const running = new Set<ChildProcess>();
  const log = (name: string): string => {
    try {
      return readFileSync(path.join(dir, name), "utf8");
    } catch {
      return "";
    }
  };
  return {
    start(name, command, env = {}) {
      const out = openSync(path.join(dir, name), "w");
      const [file = "", ...args] = command;
      const child = spawn(file, args, { stdio: ["ignore", out, out], cwd: dir, env: { ...process.env, ...env } });
      closeSync(out);
      running.add(child);
      child.on("error", () => running.delete(child));
      child.on("exit", () => running.delete(child));
      return child;
    },
    async stopAll() {
      const gone = [...running].map((child) => new Promise<void>((resolve) => child.once("exit", () => resolve())));
      for (const child of running) child.kill("SIGKILL");
      await Promise.all(gone);
    },
    log,
    tail: (name) =>
      log(name)
        .split("\n")
        .filter((line) => !/downstream_max|Deprecated field/.test(line))
        .slice(-12)
        .join("\n")
        .slice(-1500),
  };
}

/** Throws when a program that must keep running has ended. */
export function alive(child: ChildProcess, what: string): boolean {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${what} ended (${child.exitCode ?? child.signalCode})`);
  if (child.pid === undefined) throw new Error(`${what} did not start`);
  return true;
}
