// The ADS server, for the composition root.
export type { StreamTypeStatus } from "./ads-stream.ts";
export type { Protocol, XdsNode } from "./discovery-request.ts";
export { type ClientStream, startXdsServer, type XdsLimits, type XdsServer, type XdsServerOptions } from "./xds-server.ts";
