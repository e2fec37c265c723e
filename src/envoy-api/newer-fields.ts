// Fields that Envoy 1.40 has and the .proto files at hand do not have yet: kept as unknown fields of their message, which are written as they are.
import { toBinary } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { toDuration } from "./duration.ts";
import type { Cluster } from "./gen/envoy/config/cluster/v3/cluster_pb.js";

const LENGTH_DELIMITED = 2;
const CLUSTER_DNS_JITTER = 58;

/** Cluster.dns_jitter: each lookup comes later by a random time below this. */
export function dnsJitter(ms: number): Pick<Cluster, "$unknown"> {
  const value = toBinary(DurationSchema, toDuration(ms));
  // A duration is shorter than 128 bytes, so its length is one byte.
  return { $unknown: [{ no: CLUSTER_DNS_JITTER, wireType: LENGTH_DELIMITED, data: Uint8Array.of(value.length, ...value) }] };
}
