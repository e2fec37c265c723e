// A message becomes a resource: encoded once, named by the hash of its bytes.
import { createHash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { toBinary } from "../envoy-api/index.ts";
import { type ResourceSet, TYPE_URL, type XdsResource } from "../kit/index.ts";

export interface Named {
  readonly name: string;
  /** CDS names of the clusters it uses. */
  readonly clusters?: Iterable<string>;
}

export function toResource<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>, named: Named): XdsResource {
  const bytes = toBinary(schema, message, { writeUnknownFields: true });
  const version = createHash("sha256").update(bytes).digest("base64url").slice(0, 12);
  const references = [...new Set(named.clusters)].sort().map((name) => ({ typeUrl: TYPE_URL.cluster, name }));
  return { name: named.name, version, bytes, ...(references.length === 0 ? {} : { references }) };
}

export function toSet(resources: Iterable<XdsResource>): ResourceSet {
  const set = new Map<string, XdsResource>();
  for (const resource of resources) if (!set.has(resource.name)) set.set(resource.name, resource);
  return set;
}
