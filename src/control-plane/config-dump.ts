// A proxy's resources as Envoy's protojson, for the admin API.
import type { ProxyConfigDump } from "../admin-api/index.ts";
import { anyToProtoJson, packBytes } from "../envoy-api/index.ts";
import type { XdsResources } from "../kit/index.ts";

export function toConfigDump(id: string, resources: XdsResources): ProxyConfigDump {
  const byType = Object.fromEntries(
    [...resources.byType].map(([typeUrl, set]) => [
      typeUrl,
      [...set.values()].map(({ name, version, bytes }) => ({ name, version, resource: anyToProtoJson(packBytes(typeUrl, bytes)) })),
    ]),
  );
  return { id, byType };
}
