export { noOverload } from "./overload.ts";
export type { Overload } from "./overload.ts";
export { OverloadManager } from "./overload-manager.ts";
export { processVitals } from "./vitals.ts";
