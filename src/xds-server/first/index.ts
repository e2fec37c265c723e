export type { ChannelStatus } from "./channel.ts";
export { type ClientStream, startXdsServer, type StreamNode, type XdsServer, type XdsServerOptions } from "./server.ts";
