// Gateway → model: hosts with their namespaces resolved, protocols in Istio's spelling.
import { memoByIdentity } from "../../kit/index.ts";
import type { Gateway, GatewayProtocol, GatewayServer, ServerHost } from "../../model/index.ts";
import type { GatewaySpec, Resource } from "../../resources/index.ts";
import { type ServerTlsSpec, toServerTls } from "../tls.ts";

type ServerSpec = NonNullable<GatewaySpec["servers"]>[number];

const PROTOCOLS: readonly GatewayProtocol[] = ["HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS"];

/** Written in any case; what is no protocol of gateways is taken as TCP (the schema check reports it). */
export function toGatewayProtocol(written: string): GatewayProtocol {
  return PROTOCOLS.find((protocol) => protocol === written.toUpperCase()) ?? "TCP";
}

function toHost(written: string, namespace: string): ServerHost {
  const slash = written.indexOf("/");
  const owner = slash === -1 ? "*" : written.slice(0, slash);
  return { namespace: owner === "." ? namespace : owner, host: written.slice(slash + 1).toLowerCase() };
}

/** Any host of any namespace leaves nothing to the others of the list. */
function toHosts(written: readonly string[], namespace: string): readonly ServerHost[] {
  const hosts = written.map((host) => toHost(host, namespace));
  return written.includes("*/*") ? [{ namespace: "*", host: "*" }] : hosts;
}

function toServer(
  spec: ServerSpec,
  owner: { readonly namespace: string; readonly name: string },
): GatewayServer & { readonly bind: string } {
  return Object.freeze({
    gateway: owner,
    name: spec.name ?? "",
    port: { number: spec.port.number, name: spec.port.name, protocol: toGatewayProtocol(spec.port.protocol) },
    hosts: toHosts(spec.hosts, owner.namespace),
    tls: toServerTls(spec.tls as ServerTlsSpec | undefined),
    bind: spec.bind ?? "",
  });
}

export const toGateway: (resource: Resource<GatewaySpec>) => Gateway = memoByIdentity(({ metadata, spec }) =>
  Object.freeze({
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp,
    selector: spec.selector ?? {},
    servers: (spec.servers ?? []).map((server) => toServer(server, { namespace: metadata.namespace, name: metadata.name })),
  }),
);
