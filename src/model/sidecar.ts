// The Sidecar resource: what workloads of a namespace import, and how they are reached.
import type { ConnectionPool } from "./destination-rule.ts";
import type { Protocol } from "./service.ts";
import type { ServerTls } from "./tls.ts";

/** `namespace/host` of an egress listener, `.` still unresolved: in the root namespace it means the client's. */
export interface EgressHost {
  /** `*`, `.`, `~` (nothing), or a namespace. */
  readonly namespace: string;
  readonly host: string;
  /** `~ns/host`: takes away instead of adding. */
  readonly excluded: boolean;
}

export interface SidecarPort {
  readonly number: number;
  readonly protocol: Protocol;
  readonly name: string;
}

export interface SidecarEgress {
  readonly port: SidecarPort | undefined;
  readonly bind: string;
  readonly captureMode: "DEFAULT" | "IPTABLES" | "NONE";
  readonly hosts: readonly EgressHost[];
}

export interface SidecarIngress {
  readonly port: SidecarPort;
  readonly bind: string;
  readonly captureMode: "DEFAULT" | "IPTABLES" | "NONE";
  readonly tls: ServerTls | undefined;
  /** As written: `127.0.0.1:8080`, `0.0.0.0:8080`, `unix:///path`; "" = the port itself. */
  readonly defaultEndpoint: string;
  readonly connectionPool: ConnectionPool | undefined;
}

export interface Sidecar {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  /** undefined: applies to the whole namespace. */
  readonly workloadSelector: Readonly<Record<string, string>> | undefined;
  readonly egress: readonly SidecarEgress[];
  readonly ingress: readonly SidecarIngress[];
  /** For ports whose ingress listener has none of its own. */
  readonly inboundConnectionPool: ConnectionPool | undefined;
  readonly outboundTrafficPolicy:
    | {
        readonly mode: "ALLOW_ANY" | "REGISTRY_ONLY";
        readonly egressProxy: { readonly host: string; readonly subset: string; readonly port: number | undefined } | undefined;
      }
    | undefined;
}
