// Reads a client more slowly that asks more than it is answered: a flood of requests on one stream is the flooder's own loss.
import type { Clock } from "../kit/index.ts";
import type { Call } from "./grpc-transport.ts";

export interface RequestBudget {
  /** A request came. */
  take(): void;
  /** A response went out, to which an answer is due. */
  grant(): void;
  stop(): void;
}

export function createRequestBudget(
  call: Pick<Call, "pause" | "resume">,
  options: { readonly clock: Clock; readonly limits: { readonly requestBurst: number; readonly requestsPerSecond: number } },
): RequestBudget {
  const { clock, limits } = options;
  let tokens = limits.requestBurst;
  let at = clock.now();
  let cancel: (() => void) | undefined;

  function refill(): void {
    const now = clock.now();
    tokens = Math.min(limits.requestBurst, tokens + ((now - at) / 1000) * limits.requestsPerSecond);
    at = now;
  }

  return {
    take() {
      tokens -= 1;
      if (tokens >= 0 || cancel !== undefined) return;
      refill();
      if (tokens >= 0) return;
      call.pause();
      cancel = clock.after(Math.ceil((-tokens / limits.requestsPerSecond) * 1000), () => {
        cancel = undefined;
        refill();
        call.resume();
      });
    },
    grant() {
      tokens = Math.min(limits.requestBurst, tokens + 1);
    },
    stop() {
      cancel?.();
    },
  };
}
