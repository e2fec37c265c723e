// How connections of an outbound cluster are made: plain, with TLS as its DestinationRule says, or with the mesh's own TLS where both sides
// can (Istio networking/core/cluster_tls.go buildUpstreamTLSSettings, applyUpstreamTLSSettings, applyUpstreamProxyProtocol).
import { type Cluster, ClusterSchema, create, type TransportSocket } from "../../envoy-api/index.ts";
import { type ClientTls, sniCluster, type TrafficPolicy } from "../../model/index.ts";
import { proxyProtocolSocket, rawSocket, upstreamSocket } from "../tls/sockets.ts";
import { buildClientTls, buildMeshTls } from "../tls/upstream.ts";
import type { ClusterInput } from "./outbound.ts";

export interface Transport {
  readonly sockets: Partial<Pick<Cluster, "transportSocket" | "transportSocketMatches">>;
  /** SNI and the name to verify follow the request's authority. */
  readonly autoSni: boolean;
  readonly autoSanValidation: boolean;
}

export const PLAIN: Transport = { sockets: {}, autoSni: false, autoSanValidation: false };

/** A credential is a secret of the namespace: gateways may have it, and sidecars that a rule selects. */
function isAllowed(tls: ClientTls, { router, view }: ClusterInput): boolean {
  if (tls.credentialName === "" || tls.credentialName.startsWith("configmap://")) return true;
  return router || view.destinationRule?.workloadSelector !== undefined;
}

function clientTransport(tls: ClientTls, input: ClusterInput, { http2, dynamic }: ClusterKind): Transport {
  if (!isAllowed(tls, input)) return PLAIN;
  const own = tls.subjectAltNames ?? [];
  // A ServiceEntry says who its servers are.
  const served = own.length === 0 && input.view.service.registry === "External" ? input.accounts : own;
  const context = buildClientTls(tls, {
    defaults: input.mesh.tlsDefaults,
    subjectAltNames: served,
    secretServer: input.secretServer,
    http2,
  });
  const autoSni = tls.sni === "";
  return {
    sockets: { transportSocket: upstreamSocket(context) },
    autoSni,
    autoSanValidation: (dynamic || (autoSni && own.length === 0)) && !tls.insecureSkipVerify,
  };
}

/** The socket of the mesh's own TLS. Where requests bring the host, its name is theirs. */
function meshSocket(tls: ClientTls | undefined, input: ClusterInput, { http2, dynamic }: ClusterKind): TransportSocket {
  const { service } = input.view;
  const own = dynamic ? "" : sniCluster(service.hostname, input.port.number, input.subset);
  const sni = tls === undefined || tls.sni === "" ? own : tls.sni;
  return upstreamSocket(buildMeshTls({ sni, subjectAltNames: tls?.subjectAltNames ?? input.accounts, http2 }));
}

/** Encrypted where the endpoint can, else plain. */
function whereTheyCan(socket: TransportSocket): Transport["sockets"] {
  const { transportSocketMatches } = create(ClusterSchema, {
    transportSocketMatches: [
      { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: socket },
      { name: "tlsMode-disabled", match: {}, transportSocket: rawSocket() },
    ],
  });
  return { transportSocketMatches };
}

function withProxyLine({ sockets, ...rest }: Transport, version: "V1" | "V2" | undefined): Transport {
  if (version === undefined) return { sockets, ...rest };
  const { transportSocket, transportSocketMatches } = sockets;
  if (transportSocketMatches === undefined)
    return { ...rest, sockets: { transportSocket: proxyProtocolSocket(version, transportSocket ?? rawSocket()) } };
  const wrapped = transportSocketMatches.map((one) => ({
    ...one,
    transportSocket: proxyProtocolSocket(version, one.transportSocket ?? rawSocket()),
  }));
  return { ...rest, sockets: { transportSocketMatches: wrapped } };
}

interface ClusterKind {
  readonly http2: boolean;
  readonly originalDst: boolean;
  /** Each request brings the name of its host. */
  readonly dynamic: boolean;
}

function transportOf(tls: ClientTls | undefined, input: ClusterInput, kind: ClusterKind): Transport {
  if (tls === undefined) {
    if (!input.autoMtls || !input.secretServer) return PLAIN;
    const socket = meshSocket(undefined, input, kind);
    // Where the caller chose the address nothing is known of the endpoint: all of them can, or it would not have come to this.
    return { ...PLAIN, sockets: kind.originalDst ? { transportSocket: socket } : whereTheyCan(socket) };
  }
  switch (tls.mode) {
    case "DISABLE":
      return PLAIN;
    case "ISTIO_MUTUAL":
      if (!input.secretServer) return PLAIN;
      return { ...meshNames(tls, kind), sockets: { transportSocket: meshSocket(tls, input, kind) } };
    case "SIMPLE":
    case "MUTUAL":
      return clientTransport(tls, input, kind);
  }
}

function meshNames(tls: ClientTls, { dynamic }: ClusterKind): Pick<Transport, "autoSni" | "autoSanValidation"> {
  return { autoSni: dynamic && tls.sni === "", autoSanValidation: dynamic && !tls.insecureSkipVerify };
}

export function buildTransport(policy: TrafficPolicy | undefined, input: ClusterInput, kind: ClusterKind): Transport {
  return withProxyLine(transportOf(policy?.tls, input, kind), policy?.proxyProtocol);
}
