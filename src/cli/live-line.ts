// Waits until a change is live and says what came of it: how long it took, or which proxy lags or refuses and why.
import type { AdminClient, LiveStatus } from "../admin-api/index.ts";
import { parseDuration, SerinError } from "../kit/index.ts";
import type { Output } from "./output.ts";

export function parseTimeout(text: string): number {
  const ms = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
  if (ms === undefined || ms < 0 || ms > 600_000) {
    throw new SerinError("TIMEOUT_INVALID", `"${text}" is no time to wait`, { fix: "Write it as 30s or 2m, at most 10m." });
  }
  return ms;
}

export async function waitLive(client: AdminClient, options: { readonly revision: number; readonly timeout: string }): Promise<LiveStatus> {
  return client.live({ revision: options.revision, timeoutMs: parseTimeout(options.timeout) });
}

export function printLive(live: LiveStatus, out: Output): void {
  if (live.live) {
    const proxies = `${live.affected} ${live.affected === 1 ? "proxy" : "proxies"}`;
    return out.print(
      live.affected === 0 ? "live: no connected proxy needs the change" : `live on ${proxies} after ${Math.round(live.tookMs)} ms`,
    );
  }
  out.print(`not live after ${Math.round(live.tookMs)} ms:`);
  for (const { id, typeUrl, reason } of live.lagging) out.print(`  ${id}${typeUrl === "" ? "" : ` ${shortType(typeUrl)}`}: ${reason}`);
}

/** `type.googleapis.com/envoy.config.route.v3.RouteConfiguration` → `RouteConfiguration`. */
export function shortType(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
}
