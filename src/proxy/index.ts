export { parseBootstrap, type BootstrapConfig } from "./bootstrap/parse-bootstrap.ts";
export { type ProxyOptions, type RunningProxy, startProxy } from "./start-proxy.ts";
