export { type ClientStream, startXdsServer, type StreamNode, type XdsServer, type XdsServerOptions } from "./first/server.ts";
