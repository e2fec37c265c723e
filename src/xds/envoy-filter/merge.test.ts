import { create, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { allTypes, type Cluster, ClusterSchema, fromAnyProtoJson, packAny, RouterSchema, CorsSchema } from "../../envoy-api/index.ts";
import { type ListRule, mergeInto } from "./merge.ts";
import { mergeAny } from "./merge-any.ts";

const cluster = (json: object): Cluster => fromAnyProtoJson(ClusterSchema, json as never, { lenient: false });

function merged(target: object, patch: object, lists: ListRule = "append"): unknown {
  const result = cluster(target);
  mergeInto(ClusterSchema, result, cluster(patch), lists);
  return toJson(ClusterSchema, result, { registry: allTypes(), useProtoFieldName: true });
}

describe("a merge", () => {
  test("sets what the patch has and keeps the rest", () => {
    expect(merged({ name: "a", alt_stat_name: "s" }, { name: "b" })).toEqual({ name: "b", alt_stat_name: "s" });
  });

  test("goes into messages, and another case of a oneof takes its place", () => {
    const before = { eds_cluster_config: { service_name: "s", eds_config: { ads: {} } }, type: "EDS" };
    const after = merged(before, { eds_cluster_config: { service_name: "t" }, cluster_type: { name: "x" } });
    expect(after).toEqual({ eds_cluster_config: { service_name: "t", eds_config: { ads: {} } }, cluster_type: { name: "x" } });
  });

  test("lists grow, or are replaced where that is asked for", () => {
    const one = { circuit_breakers: { thresholds: [{ max_requests: 1 }] } };
    const two = { circuit_breakers: { thresholds: [{ max_requests: 0 }] } };
    expect(merged(one, two)).toEqual({ circuit_breakers: { thresholds: [{ max_requests: 1 }, { max_requests: 0 }] } });
    expect(merged(one, two, "replace")).toEqual(two);
  });

  test("durations and entries of maps are replaced", () => {
    expect(merged({ connect_timeout: "1.5s" }, { connect_timeout: "2s" })).toEqual({ connect_timeout: "2s" });
    const metadata = (a: number, more: object): object => ({ metadata: { filter_metadata: { x: { a, ...more } } } });
    expect(merged(metadata(1, { b: 1 }), metadata(2, {}))).toEqual(metadata(2, {}));
  });

  test("a zero is not set: it does not undo a wrapper, as in Istio", () => {
    const on = { use_tcp_for_dns_lookups: false, max_requests_per_connection: 5 };
    expect(merged(on, { max_requests_per_connection: 0 })).toEqual({ max_requests_per_connection: 5 });
  });

  test("the patch is not touched by what comes later", () => {
    const patch = cluster({ circuit_breakers: { thresholds: [{ max_requests: 1 }] } });
    const first = create(ClusterSchema);
    mergeInto(ClusterSchema, first, patch);
    mergeInto(ClusterSchema, first, cluster({ circuit_breakers: { thresholds: [{ max_requests: 2 }] } }));
    expect(patch.circuitBreakers?.thresholds).toHaveLength(1);
  });

  test("fields that nobody here knows are kept", () => {
    const patch = create(ClusterSchema);
    patch.$unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(1) }];
    const target = create(ClusterSchema);
    mergeInto(ClusterSchema, target, patch);
    expect(target.$unknown).toEqual(patch.$unknown);
  });
});

describe("packed messages", () => {
  const router = packAny(RouterSchema, create(RouterSchema, { suppressEnvoyHeaders: true }));

  test("of one type merge within", () => {
    const patch = packAny(RouterSchema, create(RouterSchema, { startChildSpan: true }));
    const result = mergeAny(router, patch, "append");
    expect(result?.value).toEqual(packAny(RouterSchema, create(RouterSchema, { suppressEnvoyHeaders: true, startChildSpan: true })).value);
  });

  test("of two types break off, and of a type that is not known nothing comes", () => {
    expect(() => mergeAny(router, packAny(CorsSchema, create(CorsSchema)), "append")).toThrow("cannot be merged");
    expect(mergeAny(router, { ...router, typeUrl: "type.googleapis.com/a.B" }, "append")).toBeUndefined();
  });
});
