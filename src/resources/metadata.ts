// `metadata` of any kind (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/).
import { labels, must } from "./checks/fields.ts";
import { isDnsSubdomain, isLowerDnsLabel, labelKeyProblem } from "./checks/names.ts";
import { joinPath } from "./field-path.ts";
import { ignored } from "./kubernetes/ignored.ts";
import type { ObjectMeta } from "./resource.ts";
import { int, map, obj, req, str } from "./schema/schema.ts";

const EMPTY = Object.freeze({});

const timestamp = str({
  check: must(
    (text: string) => (Number.isNaN(Date.parse(text)) ? `${JSON.stringify(text)} is no time` : undefined),
    "Write it as 2026-01-31T12:00:00Z.",
  ),
});

export const metadataSchema = obj({
  name: req(
    str({
      lenient: true,
      check: must(
        (name: string) => (isDnsSubdomain(name) ? undefined : `${JSON.stringify(name)} is no name`),
        "Use lower-case letters, digits, dashes and dots, beginning and ending with a letter or digit.",
      ),
    }),
  ),
  namespace: str({
    lenient: true,
    check: must(
      (name: string) => (name === "" || isLowerDnsLabel(name) ? undefined : `${JSON.stringify(name)} is no name for a namespace`),
      "Use lower-case letters, digits and dashes, 63 at most.",
    ),
  }),
  labels: { ...labels({ lenient: true }), default: EMPTY },
  annotations: map(str({ lenient: true }), {
    default: EMPTY,
    check: (annotations, path, report) => {
      for (const key of Object.keys(annotations)) {
        const message = labelKeyProblem(key);
        if (message !== undefined) report.error(joinPath(path, key), message.replace("label", "annotation"));
      }
    },
  }),
  creationTimestamp: timestamp,
  uid: str(),
  resourceVersion: str(),
  generation: int({ min: 0 }),
  ...ignored(
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "managedFields",
    "ownerReferences",
    "selfLink",
    "clusterName",
  ),
});

interface MetadataShape {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
}

export function toObjectMeta(metadata: unknown, clusterScoped: boolean): ObjectMeta {
  const { name, namespace, labels: own, annotations, creationTimestamp, uid, resourceVersion, generation } = metadata as MetadataShape;
  return Object.freeze({
    name,
    namespace: clusterScoped ? "" : namespace === undefined || namespace === "" ? "default" : namespace,
    labels: own,
    annotations,
    creationTimestamp: creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation }),
  });
}
