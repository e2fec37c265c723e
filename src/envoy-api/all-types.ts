// Every v3 message of Envoy's API, by descriptors alone: what users write in EnvoyFilters can be any of them.
import {
  createFileRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { inflateRawSync } from "node:zlib";
import { ALL_DESCRIPTORS } from "./gen/all-descriptors.js";

let registry: Registry | undefined;

/** Made at first use (some 100 ms): most meshes never ask. */
export function allTypes(): Registry {
  return (registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, inflateRawSync(Buffer.from(ALL_DESCRIPTORS, "base64")))));
}

/** Protojson with any type of Envoy's in its Anys. Throws on a type or value it cannot read, and, unless `lenient`, on an unknown field. */
export function fromAnyProtoJson<Desc extends DescMessage>(
  schema: Desc,
  json: JsonValue,
  options: { readonly lenient: boolean },
): MessageShape<Desc> {
  return fromJson(schema, json, { registry: allTypes(), ignoreUnknownFields: options.lenient });
}
