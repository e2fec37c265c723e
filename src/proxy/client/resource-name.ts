// State of the world sends resources without their names: they stand in the messages.
import {
  ClusterLoadAssignmentSchema,
  ClusterSchema,
  fromBinary,
  ListenerSchema,
  RouteConfigurationSchema,
  VirtualHostSchema,
} from "../../envoy-api/index.ts";
import { TYPE_URL } from "../../kit/index.ts";

export function nameOfResource(typeUrl: string, bytes: Uint8Array): string {
  switch (typeUrl) {
    case TYPE_URL.listener:
      return fromBinary(ListenerSchema, bytes).name;
    case TYPE_URL.cluster:
      return fromBinary(ClusterSchema, bytes).name;
    case TYPE_URL.endpoint:
      return fromBinary(ClusterLoadAssignmentSchema, bytes).clusterName;
    case TYPE_URL.route:
      return fromBinary(RouteConfigurationSchema, bytes).name;
    default:
      return fromBinary(VirtualHostSchema, bytes).name;
  }
}
