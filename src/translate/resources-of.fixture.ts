// Resources for the tests of this folder, from YAML text, with real positions.
import { LineCounter, parseAllDocuments } from "yaml";
import type { Kind, Resource } from "../resources/index.ts";

interface Document {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly creationTimestamp?: string;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

function segments(path: string): (string | number)[] {
  return path
    .split(/[.[\]]/)
    .filter((part) => part !== "")
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

export function resourcesOf(text: string): readonly Resource[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  if (!Array.isArray(documents)) return [];
  return documents.map((document): Resource => {
    const { apiVersion, kind, metadata, spec = {}, status } = document.toJS() as Document;
    return Object.freeze({
      apiVersion,
      kind,
      metadata: {
        name: metadata.name,
        namespace: kind === "Namespace" ? "" : (metadata.namespace ?? "default"),
        labels: metadata.labels ?? {},
        annotations: metadata.annotations ?? {},
        creationTimestamp: metadata.creationTimestamp === undefined ? 0 : Date.parse(metadata.creationTimestamp),
      },
      spec,
      ...(status === undefined ? {} : { status }),
      locate(path: string) {
        const parts = segments(path);
        for (let length = parts.length; length >= 0; length -= 1) {
          const node = document.getIn(parts.slice(0, length), true) as { range?: readonly number[] } | undefined;
          const offset = node?.range?.[0];
          if (offset === undefined) continue;
          const { line, col } = lines.linePos(offset);
          return { file: "test.yaml", line, column: col };
        }
        return { file: "test.yaml", line: 1, column: 1 };
      },
    });
  });
}

/** Proxies as the recorded cases name them. */
export function nodeOf(
  type: "sidecar" | "router",
  namespace: string,
  labels: Record<string, string>,
): { id: string; metadata: Record<string, unknown> } {
  return {
    id: `${type}~10.9.9.9~client-1.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, LABELS: labels, CLUSTER_ID: "Kubernetes" },
  };
}
