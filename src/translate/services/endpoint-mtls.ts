// Marks the endpoints whose sidecars take the mesh's own TLS (Istio xds/endpoints/mtls_checker.go).
import { memoByIdentity2 } from "../../kit/index.ts";
import type { Endpoint, ServiceEndpoints } from "../../model/index.ts";
import type { MtlsIndex } from "../peer-authentications/mtls-index.ts";

/** The injector's word that a pod has a sidecar with an identity. */
export const TLS_MODE_LABEL = "security.istio.io/tlsMode";

function isReady(endpoint: Endpoint, index: MtlsIndex): boolean {
  if (endpoint.labels[TLS_MODE_LABEL] !== "istio") return false;
  const namespace = endpoint.workload.slice(0, endpoint.workload.indexOf("/"));
  return index.forPort(namespace, endpoint.labels, endpoint.port) !== "DISABLE";
}

/** The same object when none can, which is all that is ever asked for without an identity in the mesh. */
export const withMtls: (written: ServiceEndpoints, index: MtlsIndex) => ServiceEndpoints = memoByIdentity2((written, index) => {
  let any = false;
  const byPort = new Map(
    [...written.byPort].map(([port, endpoints]) => {
      const marked = endpoints.map((endpoint) => (isReady(endpoint, index) ? Object.freeze({ ...endpoint, mtls: true }) : endpoint));
      any ||= marked.some((endpoint) => endpoint.mtls);
      return [port, marked] as const;
    }),
  );
  return any ? Object.freeze({ byPort }) : written;
});
