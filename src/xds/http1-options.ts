// HTTP/1 options that listeners and clusters share: MeshConfig's preserveHttp1HeaderCase. Without it Envoy writes header names in lower case.
import { create, packAny, PreserveCaseFormatterConfigSchema } from "../envoy-api/index.ts";
import type { MeshSettings } from "../model/index.ts";

const PRESERVE_CASE = packAny(PreserveCaseFormatterConfigSchema, create(PreserveCaseFormatterConfigSchema));

/** Fields of Envoy's Http1ProtocolOptions. */
export function http1Options(mesh: MeshSettings): object {
  if (!mesh.proxyHeaders.preserveHttp1HeaderCase) return {};
  const statefulFormatter = { name: "preserve_case", typedConfig: PRESERVE_CASE };
  return { headerKeyFormat: { headerFormat: { case: "statefulFormatter", value: statefulFormatter } } };
}
