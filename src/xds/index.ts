export { checkEnvoyPatch, patchedMessage } from "./envoy-filter/index.ts";
export { generate } from "./generate.ts";
