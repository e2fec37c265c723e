import { describe, expect, it } from "vitest";
import {
  ClusterSchema,
  DurationSchema,
  HttpConnectionManagerSchema,
  ListenerSchema,
  anyToProtoJson,
  create,
  durationMs,
  fromProtoJson,
  packAny,
  packBytes,
  toDuration,
  toProtoJson,
  unpackAny,
} from "./index.ts";

describe("Any", () => {
  it("round-trips a message and refuses another type", () => {
    const any = packAny(ClusterSchema, create(ClusterSchema, { name: "a" }));
    expect(any.typeUrl).toBe("type.googleapis.com/envoy.config.cluster.v3.Cluster");
    expect(unpackAny(ClusterSchema, any)?.name).toBe("a");
    expect(unpackAny(ListenerSchema, any)).toBeUndefined();
  });
});

describe("durations", () => {
  it.each([0, 1, 1500, 0.25, -1500])("round-trips %d ms", (ms) => {
    expect(durationMs(toDuration(ms))).toBeCloseTo(ms, 6);
  });
  it("is absent when absent", () => {
    expect(durationMs(undefined)).toBeUndefined();
  });
  it("carries milliseconds as nanos", () => {
    expect(toDuration(1500)).toEqual(create(DurationSchema, { seconds: 1n, nanos: 500_000_000 }));
  });
});

describe("protojson", () => {
  it("unfolds nested Anys with proto field names and reads both spellings", () => {
    const json = {
      name: "l",
      filter_chains: [
        {
          filters: [
            {
              name: "hcm",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                statPrefix: "x",
              },
            },
          ],
        },
      ],
    };
    const listener = fromProtoJson(ListenerSchema, json);
    const typed = listener.filterChains[0]?.filters[0]?.configType;
    expect(typed?.case === "typedConfig" && unpackAny(HttpConnectionManagerSchema, typed.value)?.statPrefix).toBe("x");
    expect(JSON.stringify(toProtoJson(ListenerSchema, listener))).toContain('"stat_prefix":"x"');
  });
  it("names an unknown field", () => {
    expect(() => fromProtoJson(ClusterSchema, { nam: "x" })).toThrow(/nam/);
  });
  it("dumps a type it does not know as bytes", () => {
    expect(anyToProtoJson(packBytes("type.googleapis.com/x.Y", new Uint8Array([1])))).toEqual({
      "@type": "type.googleapis.com/x.Y",
      value: "AQ==",
    });
  });
});
