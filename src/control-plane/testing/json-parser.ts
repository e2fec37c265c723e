// For tests: a parser of sources that takes one JSON object per line (`{kind, name, spec, broken}`), with places, errors and versions.
import type { Issue } from "../../kit/index.ts";
import type { Kind, Resource } from "../../resources/index.ts";
import type { Parsed } from "../sources/file-source.ts";

interface Line {
  readonly kind?: Kind;
  readonly namespace?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly resourceVersion?: string;
  readonly spec?: unknown;
  /** The document has an error. */
  readonly broken?: boolean;
}

export function parseJsonLines(file: string, text: string): Parsed {
  const resources: Resource[] = [];
  const issues: Issue[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = { file, line: i + 1, column: 1 };
    const issue = (message: string, name = "", kind = ""): Issue => ({
      code: "T",
      severity: "error",
      message,
      resource: { kind, namespace: name === "" ? "" : "default", name },
      path: "",
      ...at,
    });
    let value: Line;
    try {
      value = JSON.parse(line) as Line;
    } catch {
      issues.push(issue("no JSON"));
      continue;
    }
    const { kind = "ConfigMap", namespace = "default", name = "", labels = {}, resourceVersion, spec = {} } = value;
    if (value.broken === true) issues.push(issue("broken", name, kind));
    else
      resources.push({
        apiVersion: "v1",
        kind,
        metadata: {
          name,
          namespace,
          labels,
          annotations: {},
          creationTimestamp: 0,
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
        spec,
        locate: () => at,
      });
  }
  return { resources, issues };
}
