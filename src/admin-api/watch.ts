// List and watch without end, as Kubernetes' informers do: reconnects from the last version seen, lists again when that is compacted.
import { createBackoff, type Rng, SerinError, systemRng } from "../kit/index.ts";
import type { AdminClient } from "./client.ts";
import type { StoredResource, WatchEvent } from "./contract.ts";

export interface WatchHandlers {
  /** The whole list: at the start, and again whenever events may have been missed. Replaces everything known. */
  onList(items: readonly StoredResource[], resourceVersion: string): void;
  onEvent(event: WatchEvent & { readonly object: StoredResource }): void;
  /** The connection was lost or refused; the watch goes on by itself. */
  onError?(error: SerinError): void;
}

export function startWatch(options: {
  readonly client: AdminClient;
  readonly kind?: string;
  readonly handlers: WatchHandlers;
  readonly rng?: Rng;
}): { stop(): void } {
  const { client, kind, handlers } = options;
  const abort = new AbortController();
  const backoff = createBackoff({ baseMs: 50, maxMs: 1000, rng: options.rng ?? systemRng });
  const filter = kind === undefined ? {} : { kind };
  let since: string | undefined;

  async function follow(): Promise<void> {
    if (since === undefined) {
      const list = await client.list(filter);
      if (abort.signal.aborted) return;
      since = list.resourceVersion;
      handlers.onList(list.items, list.resourceVersion);
    }
    for await (const event of client.watch({ ...filter, since, signal: abort.signal })) {
      if (abort.signal.aborted) return;
      backoff.reset();
      since = event.resourceVersion;
      if (event.object !== undefined) handlers.onEvent({ ...event, object: event.object });
    }
  }

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      try {
        await follow();
      } catch (cause) {
        if (abort.signal.aborted) return;
        const error = cause instanceof SerinError ? cause : new SerinError("ADMIN_UNREACHABLE", "the watch was cut", { cause });
        if (error.code === "STORE_COMPACTED") since = undefined;
        handlers.onError?.(error);
      }
      await pause(backoff.next(), abort.signal);
    }
  }

  void run();
  return { stop: () => abort.abort() };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
