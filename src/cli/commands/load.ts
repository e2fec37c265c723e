// serin load: sends requests at a fixed rate and prints the live split by version. Exit 1 when a request failed.
import { InvalidArgumentError } from "commander";
import { parseDuration, SerinError } from "../../kit/index.ts";
import type { AddCommand, Cli, CommonOptions } from "../cli.ts";
import { type LoadTarget, startLoad } from "../load/generator.ts";
import type { Summary } from "../load/tally.ts";

interface LoadCommandOptions extends CommonOptions {
  readonly rate: number;
  readonly duration?: number;
  readonly header: readonly string[];
  readonly request: string;
  readonly to?: string;
  readonly by: string;
}

export const addLoadCommand: AddCommand = (program, cli) => {
  const command = program
    .command("load")
    .description("send requests at a fixed rate and show the split by version")
    .argument("<url>", "as a client would write it; a host that is not of this machine goes through the default gateway")
    .option("-r, --rate <number>", "requests per second", parsePositive, 50)
    .option("-d, --duration <time>", "how long (default: until Ctrl-C)", parseTime)
    .option(
      "-H, --header <line>",
      "request header; may be repeated",
      (line: string, lines: readonly string[]) => [...lines, line],
      [] as readonly string[],
    )
    .option("-X, --request <method>", "method", "GET")
    .option("--to <host:port>", "connect here instead")
    .option("--by <header>", "response header that names the version", "x-serin-version");
  cli.common(command).action((url: string, options: LoadCommandOptions) => load(cli, url, options));
};

async function load(cli: Cli, url: string, options: LoadCommandOptions): Promise<void> {
  const { out } = cli;
  const json = options.output === "json";
  const running = startLoad({
    target: toTarget(cli, url, options),
    rate: options.rate,
    durationMs: options.duration ?? Number.POSITIVE_INFINITY,
    versionHeader: options.by.toLowerCase(),
    timeoutMs: 10_000,
    onSecond: (second) => void (json || out.live(formatSummary(second, cli))),
  });
  process.once("SIGINT", running.stop);
  process.once("SIGTERM", running.stop);
  const summary = await running.finished;
  if (json) out.json(summary);
  else {
    out.print(formatSummary(summary, cli));
    for (const [status, n] of Object.entries(summary.byStatus)) out.print(`  status ${status}: ${n}`);
    for (const [error, n] of Object.entries(summary.errors)) out.print(`  ${error}: ${n}`);
  }
  if (summary.failed > 0) cli.exit(1);
}

function formatSummary({ requests, failed, byVersion, latencyMs }: Summary, { out }: Cli): string {
  const versions = Object.entries(byVersion);
  const answered = versions.reduce((sum, [, n]) => sum + n, 0);
  const split = versions.map(([version, n]) => `${version} ${out.style("bold", `${((100 * n) / answered).toFixed(1)} %`)}`).join("  ");
  const failures = failed === 0 ? "0 failed" : out.style("red", `${failed} failed`);
  return [`${requests} requests`, failures, split, `p50 ${latencyMs.p50} ms  p99 ${latencyMs.p99} ms`]
    .filter((part) => part !== "")
    .join("   ");
}

function toTarget(cli: Cli, text: string, options: LoadCommandOptions): LoadTarget {
  // A convenience for the command line; nothing is matched or permitted by it.
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || url.protocol !== "http:") {
    throw new SerinError("LOAD_URL_INVALID", `"${text}" is no http:// URL`, { fix: "Write http://HOST[:PORT]/PATH." });
  }
  const headers: Record<string, string> = { host: url.host };
  for (const line of options.header) {
    const at = line.indexOf(":");
    if (at <= 0) throw new SerinError("LOAD_HEADER_INVALID", `"${line}" is no header`, { fix: "Write NAME: VALUE." });
    headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
  }
  const [host, port] = addressOf(cli, url, options);
  return { host, port, path: url.pathname + url.search, method: options.request, headers };
}

function addressOf(cli: Cli, url: URL, options: LoadCommandOptions): [host: string, port: number] {
  if (options.to !== undefined) {
    const match = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(options.to);
    if (match === null) throw new SerinError("LOAD_URL_INVALID", `"${options.to}" is not HOST:PORT`, { fix: "Write --to 127.0.0.1:8080." });
    return [(match[1] ?? "").replace(/^\[|\]$/g, ""), Number(match[2])];
  }
  if (/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    return [url.hostname.replace(/^\[|\]$/g, ""), Number(url.port === "" ? 80 : url.port)];
  }
  const gateway = new URL(cli.mesh(options).file.gatewayUrl);
  return [gateway.hostname, Number(gateway.port)];
}

function parsePositive(text: string): number {
  const number = Number(text);
  if (!(number > 0 && number <= 100_000)) throw new InvalidArgumentError("It must be a number above 0, at most 100000.");
  return number;
}

function parseTime(text: string): number {
  const ms = parseDuration(text) ?? (/^\d+$/.test(text) ? Number(text) * 1000 : undefined);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError("It must be a time like 30s.");
  return ms;
}
