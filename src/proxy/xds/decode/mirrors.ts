// Envoy's RequestMirrorPolicy, on routes, virtual hosts and route configurations.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-requestmirrorpolicy
import type { MirrorPolicy } from "../../config/index.ts";
import type { Reader } from "../../wire/reader.ts";
import { decodeRuntimeFraction } from "./fraction.ts";

const NO_MIRRORS: readonly MirrorPolicy[] = Object.freeze([]);

export function decodeMirrors(reader: Reader): readonly MirrorPolicy[] {
  const policies = reader.messages("request_mirror_policies");
  return policies.length === 0 ? NO_MIRRORS : policies.map(decodeMirror);
}

function decodeMirror(reader: Reader): MirrorPolicy {
  const name = reader.text("cluster");
  const header = reader.text("cluster_header").toLowerCase();
  if (name === "" && header === "") reader.refuse("", "names no cluster");
  if (name !== "" && header !== "") reader.refuse("", "names a cluster and a header");
  return {
    cluster: name === "" ? { kind: "header", header } : { kind: "cluster", name },
    fraction: decodeRuntimeFraction(reader.message("runtime_fraction")),
    shadowSuffix: !reader.flag("disable_shadow_host_suffix_append"),
  };
}
