// The bytes of discovery responses, put together from frames that are encoded once per resource and shared by all streams.
// Field numbers: envoy.service.discovery.v3 DiscoveryResponse, DeltaDiscoveryResponse, Resource; google.protobuf.Any.
import type { XdsResource } from "../../kit/index.ts";

function varint(value: number): number[] {
  const bytes: number[] = [];
  let n = value;
  while (n > 127) {
    bytes.push((n & 127) | 128);
    n = Math.floor(n / 128);
  }
  bytes.push(n);
  return bytes;
}

function field(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(value.length)]), value]);
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value, "utf8"));
}

function anyOf(typeUrl: string, resource: XdsResource): Buffer {
  return Buffer.concat([text(1, typeUrl), field(2, resource.bytes)]);
}

const deltaFrames = new WeakMap<XdsResource, Buffer>();
const sotwFrames = new WeakMap<XdsResource, Buffer>();

function deltaFrame(typeUrl: string, resource: XdsResource): Buffer {
  let frame = deltaFrames.get(resource);
  if (frame === undefined) {
    frame = field(2, Buffer.concat([text(1, resource.version), field(2, anyOf(typeUrl, resource)), text(3, resource.name)]));
    deltaFrames.set(resource, frame);
  }
  return frame;
}

function sotwFrame(typeUrl: string, resource: XdsResource): Buffer {
  let frame = sotwFrames.get(resource);
  if (frame === undefined) {
    frame = field(2, anyOf(typeUrl, resource));
    sotwFrames.set(resource, frame);
  }
  return frame;
}

export interface DeltaBody {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly XdsResource[];
  readonly removed: readonly string[];
}

export function encodeDelta(body: DeltaBody): Buffer {
  return Buffer.concat([
    text(1, body.version),
    ...body.resources.map((r) => deltaFrame(body.typeUrl, r)),
    text(4, body.typeUrl),
    text(5, body.nonce),
    ...body.removed.map((name) => text(6, name)),
  ]);
}

export interface SotwBody {
  readonly typeUrl: string;
  readonly version: string;
  readonly nonce: string;
  readonly resources: readonly XdsResource[];
}

export function encodeSotw(body: SotwBody): Buffer {
  return Buffer.concat([
    text(1, body.version),
    ...body.resources.map((r) => sotwFrame(body.typeUrl, r)),
    text(4, body.typeUrl),
    text(5, body.nonce),
  ]);
}
