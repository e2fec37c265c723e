// Envoy's v3 API for the rest of Serin: messages by topic, typed Any, durations, protojson.
export { isAnyOf, packAny, packBytes, typeUrlOf, unpackAny } from "./any.ts";
export * from "./cluster.ts";
export * from "./core.ts";
export * from "./discovery.ts";
export { durationMs, toDuration } from "./duration.ts";
export { dnsJitter } from "./newer-fields.ts";
export * from "./http-filters.ts";
export * from "./listener.ts";
export { allTypes, fromAnyProtoJson } from "./all-types.ts";
export { anyToProtoJson, envoyRegistry, fromProtoJson, toProtoJson } from "./registry.ts";
export * from "./route.ts";
export * from "./transport.ts";
export { create, fromBinary, toBinary } from "@bufbuild/protobuf";
