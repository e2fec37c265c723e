// x-forwarded-client-cert: what becomes of the caller's, and what is said of the certificate that the caller showed.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert
import type { ClientCertDetail, HttpConnectionManagerConfig } from "../config/index.ts";
import { type Certificate, fingerprint, sansOf, urlEncodedPem } from "../transport/certificate.ts";
import type { TlsInfo } from "../transport/tls-info.ts";

/** The header as it goes on; "" = none. `given`: the caller's own. */
export function clientCertHeader(config: HttpConnectionManagerConfig, tls: TlsInfo | undefined, given: string): string {
  const mode = config.forwardClientCert;
  if (mode === "ALWAYS_FORWARD_ONLY") return given;
  if (mode === "SANITIZE" || tls?.peer === undefined) return "";
  if (mode === "FORWARD_ONLY") return given;
  const own = describe(config.clientCertDetails, tls, tls.peer);
  return mode === "APPEND_FORWARD" && given !== "" ? `${given},${own}` : own;
}

/** A connection's certificate does not change, and its requests mostly meet one config. */
const described = new WeakMap<TlsInfo, { readonly details: readonly ClientCertDetail[]; readonly text: string }>();

function describe(details: readonly ClientCertDetail[], tls: TlsInfo, peer: Certificate): string {
  const known = described.get(tls);
  if (known?.details === details) return known.text;
  const parts = [
    ...(tls.local === undefined ? [] : sansOf(tls.local, "URI").map((uri) => `By=${uri}`)),
    `Hash=${fingerprint(peer)}`,
    ...details.flatMap((detail) => say(detail, tls, peer)),
  ];
  const text = parts.join(";");
  described.set(tls, { details, text });
  return text;
}

function say(detail: ClientCertDetail, tls: TlsInfo, peer: Certificate): string[] {
  switch (detail) {
    case "cert":
      return [`Cert="${urlEncodedPem([peer])}"`];
    case "chain":
      return [`Chain="${urlEncodedPem(tls.peerChain)}"`];
    case "subject":
      return [`Subject="${peer.subject}"`];
    case "uri": {
      const uris = sansOf(peer, "URI");
      return uris.length === 0 ? ["URI="] : uris.map((uri) => `URI=${uri}`);
    }
    case "dns":
      return sansOf(peer, "DNS").map((name) => `DNS=${name}`);
  }
}
