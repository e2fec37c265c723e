export { type AdminClient, type AdminClientOptions, createAdminClient } from "./client.ts";
export type * from "./contract.ts";
export { startWatch, type WatchHandlers } from "./watch.ts";
