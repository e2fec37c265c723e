// Envoy's dynamic forward proxy filter. Its cache is that of the cluster, which must be configured alike.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto
import type { Reader } from "../../../wire/reader.ts";
import { decodeDnsCache } from "../discovery.ts";

export function decodeDynamicForwardProxy(reader: Reader): undefined {
  decodeDnsCache(reader);
}
