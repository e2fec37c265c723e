// Encoded resources as tests look at them.
import { anyToProtoJson, packBytes } from "../envoy-api/index.ts";
import type { XdsResources } from "../kit/index.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- protojson, looked into by name
export type Json = Readonly<Record<string, any>>;

/** Those of one type as protojson, by name. */
export function jsonByName({ byType }: XdsResources, typeUrl: string): Map<string, Json> {
  return new Map([...(byType.get(typeUrl) ?? [])].map(([name, { bytes }]) => [name, anyToProtoJson(packBytes(typeUrl, bytes)) as Json]));
}
