// A fault filter that does nothing, for tests to add to.
import type { FaultConfig } from "./fault-config.ts";

export const NO_FAULT: FaultConfig = {
  delay: undefined,
  abort: undefined,
  upstreamCluster: "",
  headers: [],
  downstreamNodes: new Set(),
  maxActive: undefined,
};
