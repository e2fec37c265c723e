// One call of a case through the proxy under test, or many of the same (repeat), and the result.
import http from "node:http";
import type { Call } from "./case.ts";
import type { Target } from "./client.ts";
import { http1Call } from "./client-http1.ts";
import { http2Call } from "./client-http2.ts";
import { rawCall, tcpCall } from "./client-raw.ts";
import { sleep } from "./programs.ts";
import type { CallResult } from "./result.ts";

/** Cookie jars of one case. */
export type Jars = Map<string, { cookie?: string; server?: number | undefined; started?: boolean }>;

function once(call: Call, target: Target, agent?: http.Agent): Promise<CallResult> {
  if (call.proto === "tcp") return tcpCall(call, target);
  if (call.proto === "raw") return rawCall(call, target);
  if (call.proto === "h2" || call.proto === "h2c") return http2Call(call, target);
  return http1Call(call, target, agent ?? new http.Agent({ keepAlive: false }));
}

async function poll(call: Call, target: Target): Promise<CallResult> {
  const end = Date.now() + (call.poll?.ms ?? 5000);
  for (;;) {
    const result = await once(call, target);
    if (result.server === call.poll?.server || Date.now() > end) return result;
    await sleep(40);
  }
}

function cover(result: CallResult, mask: RegExp): void {
  const star = (line: string): string => line.replace(mask, "*");
  if (result.response !== undefined) result.response = result.response.map(star).sort();
  if (result.seen?.headers !== undefined) result.seen.headers = result.seen.headers.map(star).sort();
}

async function withJar(call: Call, target: Target, jars: Jars): Promise<CallResult> {
  const name = call.jar ?? "";
  const jar = jars.get(name) ?? {};
  jars.set(name, jar);
  const { mask, ...rest } = call;
  const headers = jar.cookie === undefined ? call.headers : { ...call.headers, cookie: jar.cookie };
  // Masked below: the jar needs the real cookie.
  const result = await once({ ...rest, ...(headers === undefined ? {} : { headers }) }, target);
  for (const line of result.response ?? []) {
    if (line.startsWith("set-cookie: ")) jar.cookie = line.slice(12).split(";")[0] ?? "";
  }
  if (mask !== undefined) cover(result, new RegExp(mask, "g"));
  if (jar.server !== undefined) result.same = result.server === jar.server;
  jar.server ??= result.server;
  delete result.server;
  return result;
}

// How one of many answers counts: "STATUS SERVER", or the error, and the response headers named in `by`.
function countKey(call: Call, result: CallResult): string {
  const key = result.error ?? [result.status, result.server].filter((x) => x !== undefined).join(" ");
  const extra = (call.by ?? []).flatMap((h) => (result.response ?? []).filter((line) => line.startsWith(`${h}:`)));
  return [key, ...extra].join(" ");
}

async function many(call: Call, target: Target): Promise<CallResult> {
  const width = call.parallel ?? 8;
  const agent = new http.Agent({ keepAlive: true, maxSockets: width });
  const text = JSON.stringify(call);
  const count = new Map<string, number>();
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < (call.repeat ?? 1)) {
      const numbered = JSON.parse(text.replaceAll("@N@", String(n++))) as Call;
      const key = countKey(call, await once(numbered, target, agent));
      count.set(key, (count.get(key) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  agent.destroy();
  if (call.spread === true) return { spread: [...count.values()].sort((a, b) => a - b) };
  return { counts: Object.fromEntries([...count].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

export async function playCall(call: Call, target: Target, jars: Jars): Promise<CallResult> {
  if (call.pause !== undefined) await sleep(call.pause);
  const started = Date.now();
  const repeated = call.repeat !== undefined;
  const result = repeated
    ? await many(call, target)
    : call.poll !== undefined
      ? await poll(call, target)
      : call.jar !== undefined
        ? await withJar(call, target, jars)
        : await once(call, target);
  if (call.timing !== undefined && !repeated) result.slow = Date.now() - started >= call.timing;
  return call.quiet === true ? {} : result;
}
