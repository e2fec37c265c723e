import { expect, test } from "vitest";
import { decodeBootstrap } from "./bootstrap.ts";

function bootstrapWith(envoyGrpc: Record<string, unknown>): unknown {
  return {
    node: { id: "me" },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", ...envoyGrpc } }],
      },
      lds_config: { resource_api_version: "V3", ads: {} },
    },
    static_resources: {
      clusters: [
        {
          name: "xds-grpc",
          type: "STATIC",
          http2_protocol_options: {},
          load_assignment: {
            cluster_name: "xds-grpc",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: 15010 } } } }] }],
          },
        },
      ],
    },
  };
}

const backOff = (retry_back_off: Record<string, string>) => ({ retry_policy: { retry_back_off } });

test.each([
  ["its own defaults", {}, { baseMs: 250, maxMs: 5000 }],
  ["both", backOff({ base_interval: "0.2s", max_interval: "2s" }), { baseMs: 200, maxMs: 2000 }],
  ["ten times the base", backOff({ base_interval: "0.1s" }), { baseMs: 100, maxMs: 1000 }],
])("a lost control stream waits by the bootstrap's back-off: %s", (_, grpc, expected) => {
  expect(decodeBootstrap(bootstrapWith(grpc)).ads?.reconnect).toEqual(expected);
});

test.each([
  [backOff({ base_interval: "0s" }), /base_interval: must be more than 0/],
  [backOff({ base_interval: "2s", max_interval: "1s" }), /max_interval: is less than base_interval/],
])("a back-off that means nothing is refused by its field: %j", (grpc, message) => {
  expect(() => decodeBootstrap(bootstrapWith(grpc))).toThrow(message);
});
