// A proxy's resources as Envoy's protojson, for the admin API. Private keys are left out, as Envoy does in its own dump.
import type { ProxyConfigDump } from "../admin-api/index.ts";
import { anyToProtoJson, create, DataSourceSchema, fromBinary, packBytes, SecretSchema, toBinary } from "../envoy-api/index.ts";
import { TYPE_URL, type XdsResource, type XdsResources } from "../kit/index.ts";

const REDACTED = create(DataSourceSchema, { specifier: { case: "inlineBytes", value: Buffer.from("[redacted]") } });

function shownBytes(typeUrl: string, { bytes }: XdsResource): Uint8Array {
  if (typeUrl !== TYPE_URL.secret) return bytes;
  const secret = fromBinary(SecretSchema, bytes);
  if (secret.type.case !== "tlsCertificate") return bytes;
  secret.type.value.privateKey = REDACTED;
  return toBinary(SecretSchema, secret);
}

export function toConfigDump(id: string, resources: XdsResources): ProxyConfigDump {
  const byType = Object.fromEntries(
    [...resources.byType].map(([typeUrl, set]) => [
      typeUrl,
      [...set.values()].map((resource) => ({
        name: resource.name,
        version: resource.version,
        resource: anyToProtoJson(packBytes(typeUrl, shownBytes(typeUrl, resource))),
      })),
    ]),
  );
  return { id, byType };
}
