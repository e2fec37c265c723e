// What every benchmark of proxies does alike: the command lines of Serin, Envoy and HAProxy, and the files they read.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");

/** How a proxy is started, or why it cannot be. */
export type Launch = { readonly command: readonly string[] } | { readonly skipped: string };

export interface Candidate {
  readonly name: string;
  /** Writes what the proxy reads, for the port that it listens on. */
  launch(port: number): Launch;
}

/** A folder for the files of one run, and its removal. */
export interface Scratch {
  readonly dir: string;
  write(name: string, text: string): string;
  remove(): void;
}

export function createScratch(): Scratch {
  const dir = mkdtempSync(path.join(tmpdir(), "serin-bench-"));
  return {
    dir,
    write(name, text) {
      const file = path.join(dir, name);
      writeFileSync(file, text);
      return file;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** A program of the PATH, or the one that the environment variable of its name says. */
function inPath(program: string): string | undefined {
  const override = process.env[program.toUpperCase()];
  if (override !== undefined) return override;
  for (const dir of (process.env["PATH"] ?? "").split(":")) {
    for (const place of [path.join(dir, program), path.join("/usr/sbin", program)]) if (existsSync(place)) return place;
  }
  return undefined;
}

/** Serin and Envoy, which read the same bootstrap. */
export function envoyLike(scratch: Scratch, bootstrap: (port: number) => object): readonly Candidate[] {
  const file = (name: string, port: number): string => scratch.write(`${name}-${port}.json`, JSON.stringify(bootstrap(port)));
  return [
    {
      name: "serin",
      launch: (port) => ({ command: [process.env["SERIN"] ?? path.join(ROOT, "bin/serin"), "proxy", "-c", file("serin", port)] }),
    },
    {
      name: "envoy",
      launch(port) {
        const program = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
        if (!existsSync(program)) return { skipped: "tools/install-envoy.sh fetches it" };
        return { command: [program, "-c", file("envoy", port), "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"] };
      },
    },
  ];
}

/** A program that a distribution packages, with the text of its config file and its arguments. */
export function packaged(program: string, argsFor: (port: number) => readonly string[]): Candidate {
  return {
    name: program,
    launch(port) {
      const file = inPath(program);
      if (file === undefined) return { skipped: `Debian's package ${program} is not installed (or set ${program.toUpperCase()})` };
      return { command: [file, ...argsFor(port)] };
    },
  };
}

export interface HaproxyConfig {
  readonly mode?: "http" | "tcp";
  /** Lines that join the defaults, the front end, and behind it. */
  readonly defaults?: string;
  readonly bind?: string;
  readonly frontend: string;
  readonly backends: string;
}

/** HAProxy on one thread. */
export function haproxy(scratch: Scratch, config: HaproxyConfig): Candidate {
  return packaged("haproxy", (port) => {
    const text = `global
  nbthread 1
  maxconn 4000
defaults
  mode ${config.mode ?? "http"}
  timeout client 60s
  timeout server 60s
  timeout connect 5s
${config.defaults ?? ""}frontend in
  bind 127.0.0.1:${port}${config.bind ?? ""}
${config.frontend}${config.backends}`;
    return ["-f", scratch.write("haproxy.cfg", text)];
  });
}

/** Two back ends of two servers each, as the clusters v1 and v2 of the bootstrap. */
export function haproxyBackends(upstreams: readonly number[], server = ""): string {
  const [a = 0, b = 0, c = 0, d = 0] = upstreams;
  return `backend v1
  balance roundrobin
  server a 127.0.0.1:${a}${server}
  server b 127.0.0.1:${b}${server}
backend v2
  balance roundrobin
  server c 127.0.0.1:${c}${server}
  server d 127.0.0.1:${d}${server}
`;
}
