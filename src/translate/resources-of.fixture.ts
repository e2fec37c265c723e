// Resources for the tests of this folder, read by the real parser; a text that it refuses fails the test.
import { parseSources, type Resource } from "../resources/index.ts";

export function resourcesOf(text: string): readonly Resource[] {
  const { resources, issues } = parseSources([{ file: "test.yaml", text }]);
  const errors = issues.filter((issue) => issue.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((issue) => `${issue.line}:${issue.column} ${issue.path} ${issue.message}`).join("\n"));
  return resources;
}

/** Proxies as the recorded cases name them. */
export function nodeOf(
  type: "sidecar" | "router",
  namespace: string,
  labels: Readonly<Record<string, string>>,
): { id: string; metadata: Record<string, unknown> } {
  return {
    id: `${type}~10.9.9.9~client-1.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: "Kubernetes" },
  };
}
