// Istio's MeshConfig from --mesh-config; a file that cannot be used stops the start, with what is wrong.
import { type Issue, SerinError } from "../kit/index.ts";
import { readMeshConfigFile } from "../resources/index.ts";

export interface MeshConfigFile {
  readonly value: unknown;
  readonly issues: readonly Issue[];
}

export function readMeshConfig(file: string | undefined): MeshConfigFile {
  if (file === undefined) return { value: undefined, issues: [] };
  const { value, issues } = readMeshConfigFile(file);
  const error = issues.find((issue) => issue.severity === "error");
  if (error !== undefined) {
    throw new SerinError(
      "MESH_CONFIG_INVALID",
      `${error.file}:${error.line}:${error.column} ${error.path} ${error.message}`,
      error.fix === undefined ? {} : { fix: error.fix },
    );
  }
  return { value, issues };
}
