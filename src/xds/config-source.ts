// "Ask the aggregated stream", as every reference to another xDS resource says it.
import { ApiVersion, type ConfigSource, ConfigSourceSchema, create } from "../envoy-api/index.ts";

export function adsSource(options: { readonly waitForever?: boolean } = {}): ConfigSource {
  return create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: ApiVersion.V3,
    ...(options.waitForever === true ? { initialFetchTimeout: { seconds: 0n, nanos: 0 } } : {}),
  });
}
