export type * from "./balancing-config.ts";
export type * from "./cluster-config.ts";
export type * from "./dns-config.ts";
export type * from "./listener-config.ts";
export * from "./overload-config.ts";
export type * from "./route-config.ts";
export type * from "./tls-config.ts";
export { createRuntimeCell } from "./runtime-config.ts";
export type { RuntimeCell, RuntimeConfig } from "./runtime-config.ts";
