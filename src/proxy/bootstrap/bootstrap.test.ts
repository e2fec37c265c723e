import { expect, test } from "vitest";
import { decodeBootstrap } from "./bootstrap.ts";

function bootstrapWith(envoyGrpc: Record<string, unknown>, http2: Record<string, unknown> = {}): unknown {
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
          http2_protocol_options: http2,
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

test.each([
  [{ max_concurrent_streams: 0 }, /max_concurrent_streams: must be from 1 to 2147483647/],
  [{ initial_stream_window_size: 65_534 }, /initial_stream_window_size: must be from 65535 to 2147483647/],
  [{ initial_connection_window_size: 2 ** 31 }, /initial_connection_window_size: must be/],
  [{ max_outbound_frames: 0 }, /max_outbound_frames: must be from 1 to/],
  [{ connection_keepalive: { interval: "1s" } }, /connection_keepalive\.timeout: is missing/],
  [{ allow_metadata: true }, /allow_metadata: is not supported/],
  [{ custom_settings_parameters: [{ identifier: 9, value: 1 }] }, /custom_settings_parameters: is not supported/],
])("HTTP/2 options out of bounds are refused by their field: %j", (http2, message) => {
  expect(() => decodeBootstrap(bootstrapWith({}, http2))).toThrow(message);
});

test("HTTP/2 options at their bounds are taken", () => {
  const http2 = {
    max_concurrent_streams: 1,
    initial_stream_window_size: 65_535,
    initial_connection_window_size: 2 ** 31 - 1,
    hpack_table_size: 0,
  };
  expect(() => decodeBootstrap(bootstrapWith({}, http2))).not.toThrow();
});

test("the proxy's own cluster is one of the static ones", () => {
  const clusters = [{ name: "mine", type: "STATIC" }];
  const withManager = (name: string) => ({ static_resources: { clusters }, cluster_manager: { local_cluster_name: name } });
  expect(decodeBootstrap(withManager("mine")).localCluster).toBe("mine");
  expect(decodeBootstrap({ static_resources: { clusters } }).localCluster).toBe("");
  expect(() => decodeBootstrap(withManager("other"))).toThrow("cluster_manager.local_cluster_name: no static cluster other");
});

test("a limit of all callers' connections: the overload manager's, else the older runtime key", () => {
  const key = (value: unknown) => ({
    layered_runtime: { layers: [{ name: "a", static_layer: { overload: { global_downstream_max_connections: value } } }] },
  });
  const type = "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig";
  const monitor = {
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: { "@type": type, max_active_downstream_connections: 3 },
        },
      ],
    },
  };
  const limitOf = (more: object) => decodeBootstrap({ ...(bootstrapWith({}) as object), ...more }).overload.maxConnections;
  expect([{}, key(7), monitor, { ...key(7), ...monitor }].map(limitOf)).toEqual([undefined, 7, 3, 3]);
  expect(decodeBootstrap({ ...(bootstrapWith({}) as object), ...key("many") }).warnings).toHaveLength(1);
});
