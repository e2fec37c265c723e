// The data plane as a whole, for its program and for tests.
export { type Bootstrap, decodeBootstrap, readBootstrap } from "./bootstrap/bootstrap.ts";
export { type Proxy, type ProxyOptions, startProxy } from "./start-proxy.ts";
