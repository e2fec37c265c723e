// Reads a client's request of either protocol into plain data.
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema, fromBinary, type Node } from "../envoy-api/index.ts";
import { err, ok, type Result } from "../kit/index.ts";

export type Protocol = "delta" | "sotw";

/** core.v3.Node as far as a control plane looks at it. */
export interface XdsNode {
  readonly id: string;
  readonly cluster: string;
  /** The metadata struct as JSON. */
  readonly metadata: unknown;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string } | undefined;
  readonly userAgent: string;
}

interface RequestFrame {
  readonly node: XdsNode | undefined;
  readonly typeUrl: string;
  readonly nonce: string;
  /** The client refuses the response with this nonce. */
  readonly error: string | undefined;
}

export interface DeltaRequest extends RequestFrame {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What it has from an earlier stream: name → version. */
  readonly initialVersions: Readonly<Record<string, string>>;
}

export interface SotwRequest extends RequestFrame {
  readonly names: readonly string[];
  readonly version: string;
}

function toNode(node: Node | undefined): XdsNode | undefined {
  if (node === undefined) return undefined;
  const { locality } = node;
  return {
    id: node.id,
    cluster: node.cluster,
    metadata: node.metadata ?? {},
    locality: locality === undefined ? undefined : { region: locality.region, zone: locality.zone, subZone: locality.subZone },
    userAgent: node.userAgentName,
  };
}

/** A NACK always says something, so that its presence is not lost with an empty text. */
function toError(status: { readonly message: string; readonly code: number } | undefined): string | undefined {
  return status === undefined ? undefined : status.message === "" ? `refused without a reason (code ${status.code})` : status.message;
}

export function decodeDeltaRequest(bytes: Uint8Array): Result<DeltaRequest> {
  try {
    const message = fromBinary(DeltaDiscoveryRequestSchema, bytes);
    return ok({
      node: toNode(message.node),
      typeUrl: message.typeUrl,
      nonce: message.responseNonce,
      error: toError(message.errorDetail),
      subscribe: message.resourceNamesSubscribe,
      unsubscribe: message.resourceNamesUnsubscribe,
      initialVersions: message.initialResourceVersions,
    });
  } catch (error) {
    return err(`not a DeltaDiscoveryRequest: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function decodeSotwRequest(bytes: Uint8Array): Result<SotwRequest> {
  try {
    const message = fromBinary(DiscoveryRequestSchema, bytes);
    return ok({
      node: toNode(message.node),
      typeUrl: message.typeUrl,
      nonce: message.responseNonce,
      error: toError(message.errorDetail),
      names: message.resourceNames,
      version: message.versionInfo,
    });
  } catch (error) {
    return err(`not a DiscoveryRequest: ${error instanceof Error ? error.message : String(error)}`);
  }
}
