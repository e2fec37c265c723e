export type * from "./destination-rule.ts";
export type * from "./gateway.ts";
export type * from "./mesh-settings.ts";
export * from "./names.ts";
export type * from "./proxy.ts";
export type * from "./proxy-view.ts";
export { serviceKey } from "./service.ts";
export type * from "./service.ts";
export type * from "./virtual-service.ts";
