export { type Patcher, patcherOf } from "./apply.ts";
export { checkEnvoyPatch } from "./check.ts";
export { patchedMessage } from "./compile.ts";
