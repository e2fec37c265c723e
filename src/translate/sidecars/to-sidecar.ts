// Sidecar → model. `.` stays `.` until the client is known: in a root-namespace Sidecar it means the client's namespace.
import { memoByIdentity2 } from "../../kit/index.ts";
import type { ConnectionPool, EgressHost, MeshSettings, Sidecar, SidecarPort } from "../../model/index.ts";
import type { Resource, SidecarSpec } from "../../resources/index.ts";
import { type ConnectionPoolSpec, toConnectionPool } from "../destination-rules/traffic-policy.ts";
import { resolveHost } from "../names.ts";
import { parseProtocol } from "../protocol.ts";
import { type ServerTlsSpec, toServerTls } from "../tls.ts";

interface PortSpec {
  readonly number?: number;
  readonly protocol?: string;
  readonly name?: string;
}

function toPort(spec: PortSpec): SidecarPort {
  return { number: spec.number ?? 0, protocol: parseProtocol(spec.protocol), name: spec.name ?? "" };
}

/** `ns/host`; `~/*` imports nothing, `~ns/host` takes away. */
function toEgressHost(written: string): EgressHost {
  const slash = written.indexOf("/");
  const namespace = slash === -1 ? "" : written.slice(0, slash);
  const host = written.slice(slash + 1).toLowerCase();
  const excluded = namespace.startsWith("~") && namespace.length > 1;
  return { namespace: excluded ? namespace.slice(1) : namespace, host, excluded };
}

function toPool(spec: unknown): ConnectionPool | undefined {
  return spec === undefined ? undefined : toConnectionPool(spec as ConnectionPoolSpec);
}

export const toSidecar: (resource: Resource<SidecarSpec>, settings: MeshSettings) => Sidecar = memoByIdentity2(
  ({ metadata, spec }, settings) => {
    const egress = spec.egress === undefined || spec.egress.length === 0 ? [{ hosts: ["*/*"] }] : spec.egress;
    const policy = spec.outboundTrafficPolicy;
    const proxy = policy?.egressProxy as { host?: string; subset?: string; port?: { number?: number } } | undefined;
    return Object.freeze({
      name: metadata.name,
      namespace: metadata.namespace,
      createdAt: metadata.creationTimestamp,
      workloadSelector: spec.workloadSelector === undefined ? undefined : (spec.workloadSelector.labels ?? {}),
      egress: egress.map((listener) => ({
        port: listener.port === undefined ? undefined : toPort(listener.port as PortSpec),
        bind: listener.bind ?? "",
        captureMode: listener.captureMode ?? ("DEFAULT" as const),
        hosts: (listener.hosts ?? []).map(toEgressHost),
      })),
      ingress: (spec.ingress ?? []).map((listener) => ({
        port: toPort(listener.port as PortSpec),
        bind: listener.bind ?? "",
        captureMode: listener.captureMode ?? ("DEFAULT" as const),
        tls: toServerTls(listener.tls as ServerTlsSpec | undefined),
        defaultEndpoint: listener.defaultEndpoint ?? "",
        connectionPool: toPool(listener.connectionPool),
      })),
      inboundConnectionPool: toPool(spec.inboundConnectionPool),
      outboundTrafficPolicy:
        policy === undefined
          ? undefined
          : {
              // The API's zero value is REGISTRY_ONLY.
              mode: policy.mode ?? "REGISTRY_ONLY",
              egressProxy:
                proxy === undefined
                  ? undefined
                  : {
                      host: resolveHost(proxy.host ?? "", metadata.namespace, settings.domain),
                      subset: proxy.subset ?? "",
                      port: proxy.port?.number,
                    },
            },
    });
  },
);

/** The one Sidecar of a proxy: the oldest that selects it, the namespace's, the root namespace's, none. */
export function sidecarOf(
  sidecars: readonly Sidecar[],
  proxy: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  rootNamespace: string,
): Sidecar | undefined {
  const chooses = (selector: Readonly<Record<string, string>>): boolean =>
    Object.entries(selector).every(([name, value]) => proxy.labels[name] === value);
  let ofNamespace: Sidecar | undefined;
  let ofRoot: Sidecar | undefined;
  for (const sidecar of sidecars) {
    if (sidecar.namespace === proxy.namespace) {
      if (sidecar.workloadSelector === undefined) ofNamespace ??= sidecar;
      else if (chooses(sidecar.workloadSelector)) return sidecar;
    } else if (sidecar.namespace === rootNamespace && sidecar.workloadSelector === undefined) ofRoot ??= sidecar;
  }
  return ofNamespace ?? ofRoot;
}
