// The rows that are played, in the fault matrix's order.
import type { SoakRow } from "./row.ts";
import { largeBodies, lyingUpstreams, slowReaders } from "./rows/bodies.ts";
import { headerFlood, idleCallers, slowloris } from "./rows/callers.ts";
import { floods, resets } from "./rows/http2-attacks.ts";
import { overload } from "./rows/overload.ts";
import { configChanges, subsetsComeAndGo } from "./rows/config-changes.ts";
import { sigterm } from "./rows/sigterm.ts";
import { allEjected, endpointDies, endpointHangs } from "./rows/endpoints.ts";

export const ROWS: readonly SoakRow[] = [
  configChanges,
  subsetsComeAndGo,
  sigterm,
  endpointDies,
  endpointHangs,
  allEjected,
  slowloris,
  headerFlood,
  resets,
  floods,
  idleCallers,
  largeBodies,
  slowReaders,
  lyingUpstreams,
  overload,
];
