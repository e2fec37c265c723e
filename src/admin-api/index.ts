export { type AdminClient, type AdminClientOptions, createAdminClient } from "./client.ts";
export type * from "./contract.ts";
export { readTokenFile } from "./token-file.ts";
export { startWatch, type WatchHandlers } from "./watch.ts";
export * from "./mesh-files.ts";
export { isSameProcess, processStartTime, type ProcessIdentity, thisProcess } from "./process-identity.ts";
export type * from "./runtime-messages.ts";
