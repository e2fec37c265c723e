// The streams of each node: how many there are, and what ended ones left unfinished for the next.
import { type Clock, err, ok, type Result } from "../kit/index.ts";
import type { AdsStream } from "./ads-stream.ts";
import { union } from "./set-diff.ts";

/** Later than this the client has stopped waiting (Envoy, ConfigSource.initial_fetch_timeout). */
const KEPT_MS = 15_000;

export interface NodeStreams {
  /** May there be one more? */
  admits(nodeId: string): Result<void>;
  add(nodeId: string, stream: AdsStream): void;
  remove(nodeId: string, stream: AdsStream): void;
  /** Of streams that ended, and of those that have not been seen to. */
  unfinished(nodeId: string): ReadonlySet<string> | undefined;
}

export function createNodeStreams(limits: { readonly streams: number; readonly streamsPerNode: number }, clock: Clock): NodeStreams {
  const open = new Map<string, Set<AdsStream>>();
  /** Oldest first. */
  const left = new Map<string, { readonly names: ReadonlySet<string>; readonly until: number }>();
  let count = 0;

  function forgetOld(now: number): void {
    for (const [nodeId, { until }] of left) {
      if (until > now) return;
      left.delete(nodeId);
    }
  }

  return {
    admits(nodeId) {
      if (count >= limits.streams) return err(`more than ${limits.streams} xDS streams`);
      if ((open.get(nodeId)?.size ?? 0) >= limits.streamsPerNode) return err(`more than ${limits.streamsPerNode} xDS streams of one node`);
      return ok(undefined);
    },
    add(nodeId, stream) {
      const ofNode = open.get(nodeId) ?? new Set();
      open.set(nodeId, ofNode.add(stream));
      count++;
    },
    remove(nodeId, stream) {
      const ofNode = open.get(nodeId);
      if (ofNode?.delete(stream) !== true) return;
      count--;
      if (ofNode.size === 0) open.delete(nodeId);
      const now = clock.now();
      forgetOld(now);
      const names = union(left.get(nodeId)?.names, stream.unfinished());
      if (names === undefined) return;
      left.delete(nodeId);
      left.set(nodeId, { names, until: now + KEPT_MS });
    },
    unfinished(nodeId) {
      forgetOld(clock.now());
      let names = left.get(nodeId)?.names;
      left.delete(nodeId);
      for (const stream of open.get(nodeId) ?? []) names = union(names, stream.unfinished());
      return names;
    },
  };
}
