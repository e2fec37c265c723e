// The rows that are played, in the fault matrix's order.
import type { SoakRow } from "./row.ts";
import { largeBodies, lyingUpstreams, slowReaders } from "./rows/bodies.ts";
import { headerFlood, idleCallers, slowloris } from "./rows/callers.ts";
import { configChanges } from "./rows/config-changes.ts";
import { allEjected, endpointDies, endpointHangs } from "./rows/endpoints.ts";

export const ROWS: readonly SoakRow[] = [
  configChanges,
  endpointDies,
  endpointHangs,
  allEjected,

  slowloris,
  headerFlood,
  idleCallers,
  largeBodies,
  slowReaders,
  lyingUpstreams,
];
