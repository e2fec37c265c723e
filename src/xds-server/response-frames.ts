// Writes DeltaDiscoveryResponse and DiscoveryResponse (envoy/service/discovery/v3/discovery.proto) field by field around resource bytes
// that are encoded already: no message object is built, each byte is copied once.
import type { XdsResource } from "../kit/index.ts";

interface Writer {
  readonly buffer: Buffer;
  at: number;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

function writeVarint(writer: Writer, value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writer.buffer[writer.at++] = (rest % 0x80) | 0x80;
  writer.buffer[writer.at++] = rest;
}

/** A length-delimited field's tag, all of whose numbers here are below 16. */
function writeTag(writer: Writer, field: number, length: number): void {
  writer.buffer[writer.at++] = (field << 3) | 2;
  writeVarint(writer, length);
}

function fieldSize(length: number): number {
  return 1 + varintSize(length) + length;
}

function writeString(writer: Writer, field: number, text: string): void {
  const length = Buffer.byteLength(text);
  writeTag(writer, field, length);
  writer.at += writer.buffer.write(text, writer.at);
}

function stringSize(text: string): number {
  return text === "" ? 0 : fieldSize(Buffer.byteLength(text));
}

/** google.protobuf.Any: type_url = 1, value = 2. */
function anySize(typeUrl: string, resource: XdsResource): number {
  return stringSize(typeUrl) + fieldSize(resource.bytes.byteLength);
}

function writeAny(writer: Writer, typeUrl: string, resource: XdsResource): void {
  writeString(writer, 1, typeUrl);
  writeTag(writer, 2, resource.bytes.byteLength);
  writer.buffer.set(resource.bytes, writer.at);
  writer.at += resource.bytes.byteLength;
}

/** envoy.service.discovery.v3.Resource: version = 1, resource = 2, name = 3. */
function resourceSize(typeUrl: string, resource: XdsResource): number {
  return stringSize(resource.version) + fieldSize(anySize(typeUrl, resource)) + stringSize(resource.name);
}

export interface DeltaResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly updates: readonly XdsResource[];
  readonly removed: readonly string[];
}

/** resources = 2, type_url = 4, nonce = 5, removed_resources = 6. */
export function encodeDeltaResponse(response: DeltaResponse): Buffer {
  const { typeUrl, nonce, updates, removed } = response;
  let size = stringSize(typeUrl) + stringSize(nonce);
  for (const resource of updates) size += fieldSize(resourceSize(typeUrl, resource));
  for (const name of removed) size += fieldSize(Buffer.byteLength(name));
  const writer: Writer = { buffer: Buffer.allocUnsafeSlow(size), at: 0 };
  for (const resource of updates) {
    writeTag(writer, 2, resourceSize(typeUrl, resource));
    if (resource.version !== "") writeString(writer, 1, resource.version);
    writeTag(writer, 2, anySize(typeUrl, resource));
    writeAny(writer, typeUrl, resource);
    if (resource.name !== "") writeString(writer, 3, resource.name);
  }
  writeString(writer, 4, typeUrl);
  writeString(writer, 5, nonce);
  for (const name of removed) writeString(writer, 6, name);
  return writer.buffer;
}

export interface SotwResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly version: string;
  readonly resources: readonly XdsResource[];
}

/** version_info = 1, resources = 2, type_url = 4, nonce = 5. */
export function encodeSotwResponse(response: SotwResponse): Buffer {
  const { typeUrl, nonce, version, resources } = response;
  let size = stringSize(version) + stringSize(typeUrl) + stringSize(nonce);
  for (const resource of resources) size += fieldSize(anySize(typeUrl, resource));
  const writer: Writer = { buffer: Buffer.allocUnsafeSlow(size), at: 0 };
  writeString(writer, 1, version);
  for (const resource of resources) {
    writeTag(writer, 2, anySize(typeUrl, resource));
    writeAny(writer, typeUrl, resource);
  }
  writeString(writer, 4, typeUrl);
  writeString(writer, 5, nonce);
  return writer.buffer;
}
