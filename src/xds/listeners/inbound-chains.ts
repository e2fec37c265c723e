// Filter chains of one inbound port: TLS of the mesh or plain text, HTTP or bytes, as its protocol and PeerAuthentication say
// (Istio networking/core/filterchain_options.go). Callers of the mesh are known by the protocols they name inside TLS.
import type { MeshSettings, MtlsMode, Protocol } from "../../model/index.ts";
import { isDetected, isHttpProtocol } from "../protocols.ts";
import { plainHttp } from "./plain-http.ts";

/** What a chain takes, and what is done with it. */
export interface ChainKind {
  readonly http: boolean;
  readonly transport: "tls" | "raw_buffer";
  /** TLS ends here; otherwise it goes on to the application. */
  readonly ends: boolean;
  readonly applicationProtocols?: readonly string[];
}

const MESH_HTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const MESH_STREAM = ["istio-peer-exchange", "istio"];
const MESH_ANY = ["istio", "istio-peer-exchange", ...MESH_HTTP];

const plain = (http: boolean): ChainKind => ({ http, transport: "raw_buffer", ends: false });
const secured = (http: boolean, applicationProtocols?: readonly string[]): ChainKind => ({
  http,
  transport: "tls",
  ends: true,
  ...(applicationProtocols === undefined ? {} : { applicationProtocols }),
});
/** TLS between the caller and the application. */
const PASSED_ON: ChainKind = { http: false, transport: "tls", ends: false };

const HTTP: Readonly<Record<MtlsMode, readonly ChainKind[]>> = {
  STRICT: [secured(true)],
  PERMISSIVE: [secured(true, MESH_ANY), plain(true)],
  DISABLE: [plain(true)],
};

const STREAM: Readonly<Record<MtlsMode, readonly ChainKind[]>> = {
  STRICT: [secured(false)],
  PERMISSIVE: [secured(false, MESH_ANY), PASSED_ON, plain(false)],
  DISABLE: [plain(false)],
};

/** Plain HTTP is found by its first bytes. */
const foundHttp = (mesh: MeshSettings): ChainKind => ({ ...plain(true), applicationProtocols: plainHttp(mesh) });

function detected(mtls: MtlsMode, mesh: MeshSettings): readonly ChainKind[] {
  switch (mtls) {
    case "STRICT":
      return [secured(true, MESH_HTTP), secured(false)];
    case "PERMISSIVE":
      return [secured(true, MESH_HTTP), foundHttp(mesh), secured(false, MESH_STREAM), plain(false), PASSED_ON];
    case "DISABLE":
      return [foundHttp(mesh), plain(false)];
  }
}

export function chainKinds(protocol: Protocol, mtls: MtlsMode, mesh: MeshSettings): readonly ChainKind[] {
  return isDetected(protocol) ? detected(mtls, mesh) : isHttpProtocol(protocol) ? HTTP[mtls] : STREAM[mtls];
}

/** A port with TLS of its own takes nothing else. */
export function ownTlsKinds(protocol: Protocol): readonly ChainKind[] {
  return [secured(isHttpProtocol(protocol))];
}
