// A listener as a message, with the clusters that must be there before it.
import type { Listener } from "../../envoy-api/index.ts";

export interface BuiltListener {
  readonly message: Listener;
  /** Clusters its TCP filters name. */
  readonly clusters: readonly string[];
}
