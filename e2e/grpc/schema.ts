// test-service.proto as grpc-js wants it: service definitions made at run time from compiled descriptors, without generated code.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceDefinition } from "@grpc/grpc-js";

const PROTOC = path.resolve(import.meta.dirname, "../../node_modules/protoc/protoc.cjs");

/** Compiles test-service.proto to a FileDescriptorSet, which clients and servers of either language read. */
export function compileSchema(out: string): void {
  execFileSync(process.execPath, [PROTOC, `-I${import.meta.dirname}`, `--descriptor_set_out=${out}`, "test-service.proto"]);
}

export interface Payload {
  readonly body: Uint8Array;
}

export interface EchoStatus {
  readonly code: number;
  readonly message: string;
}

export interface SimpleRequest {
  readonly responseSize?: number;
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

export interface StreamingOutputRequest {
  readonly responseParameters?: readonly { readonly size: number; readonly intervalUs?: number }[];
  readonly payload?: Payload;
  readonly responseStatus?: EchoStatus;
}

export interface WithPayload {
  readonly payload?: Payload;
}

export interface InputResponse {
  readonly aggregatedPayloadSize: number;
}

export function payload(size: number): Payload {
  return { body: new Uint8Array(size) };
}

export function readSchema(file: string): (service: string) => ServiceDefinition {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  const serialize = (schema: DescMessage) => (value: object) => Buffer.from(toBinary(schema, create(schema, value as never)));
  const deserialize = (schema: DescMessage) => (bytes: Buffer) => fromBinary(schema, bytes);
  return (name) => {
    const service = registry.getService(name);
    if (service === undefined) throw new Error(`no service ${name}`);
    return Object.fromEntries(
      service.methods.map((method) => [
        method.name,
        {
          path: `/${name}/${method.name}`,
          requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
          responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
          requestSerialize: serialize(method.input),
          requestDeserialize: deserialize(method.input),
          responseSerialize: serialize(method.output),
          responseDeserialize: deserialize(method.output),
        },
      ]),
    );
  };
}
