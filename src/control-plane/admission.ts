// From parsed resources to store changes: what the server sets at admission (ClusterIPs), and what it refuses (two documents of one
// name, a resource that a file owns). Used by the API and by the file source alike.
import { type Issue, memoByIdentity } from "../kit/index.ts";
import { CODE, refOf, type Resource } from "../resources/index.ts";
import { createClusterIps } from "./store/cluster-ip.ts";
import type { Origin } from "./store/database.ts";
import { type Change, type Store, storeKey, type StoreObject } from "./store/store.ts";

/** Kinds whose fields stand beside `metadata`, not under `spec`. */
const FLAT_KINDS: ReadonlySet<string> = new Set(["ConfigMap", "Secret", "ServiceAccount"]);

/** Code of what the API may not change. */
export const FROM_FILE = "SERIN0302";

export interface Admission {
  readonly changes: readonly Change[];
  readonly admitted: readonly Resource[];
  /** Errors; their resources are not among the changes. */
  readonly issues: readonly Issue[];
}

export function admit(
  resources: readonly Resource[],
  options: { readonly store: Store; readonly originOf: (resource: Resource) => Origin },
): Admission {
  const { store } = options;
  const seen = new Map<string, Resource>();
  const issues: Issue[] = [];
  const changes: Change[] = [];
  const admitted: Resource[] = [];
  // An address is free again when the Service of that name is the one being written.
  const clusterIps = createClusterIps(store.list({ kind: "Service" }));

  for (const resource of resources) {
    const key = storeKey(refOf(resource));
    const origin = options.originOf(resource);
    const fromFile = origin !== "api";
    const twin = seen.get(key);
    const owner = store.originOf(refOf(resource));
    if (twin !== undefined) {
      const at = twin.locate("");
      issues.push(
        issueOf(
          resource,
          CODE.duplicate,
          `it stands twice: first in ${at.file}:${at.line}`,
          "Remove one of the two; the first one is used.",
        ),
      );
      continue;
    }
    if (!fromFile && owner?.startsWith("file:") === true) {
      issues.push(
        issueOf(resource, FROM_FILE, `it comes from the file ${owner.slice(5)} of --config`, "Change that file: it is followed."),
      );
      continue;
    }
    let object = fromFile ? toFileObject(resource) : toStoreObject(resource, false);
    if (resource.kind === "Service") {
      const { body, takenBy } = clusterIps.assign(resource.metadata, object.body);
      if (takenBy !== undefined) {
        issues.push(
          issueOf(
            resource,
            "SERIN0303",
            `its clusterIP belongs to the Service ${takenBy}`,
            "Leave clusterIP out; the Service gets a free address.",
            "spec.clusterIP",
          ),
        );
        continue;
      }
      object = { ...object, body };
    }
    seen.set(key, resource);
    admitted.push(resource);
    // Files are followed, not negotiated with: a version in them would only be stale.
    changes.push({ op: "put", object, origin, ifVersion: fromFile ? undefined : resource.metadata.resourceVersion });
  }
  return { changes, admitted, issues };
}

/** The same resource gives the same object: the store then knows without a look at its fields that nothing changed. */
const toFileObject = memoByIdentity((resource: Resource) => toStoreObject(resource, true));

/** What a file does not date is of no age, so that equal files make equal meshes: ties go by name, as with Istio's own file source. */
function toStoreObject(resource: Resource, fromFile: boolean): StoreObject {
  const { name, namespace, labels, annotations, creationTimestamp } = resource.metadata;
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(creationTimestamp === 0 && !fromFile
        ? {}
        : { creationTimestamp: new Date(creationTimestamp).toISOString().replace(".000Z", "Z") }),
    },
    body: FLAT_KINDS.has(resource.kind) ? { ...(resource.spec as Record<string, unknown>) } : { spec: resource.spec },
  };
}

function issueOf(resource: Resource, code: string, message: string, fix: string, path = ""): Issue {
  return { code, severity: "error", message, fix, resource: refOf(resource), path, ...resource.locate(path) };
}
