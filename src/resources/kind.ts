// What a row of the table of kinds says.
import type { Kind, ObjectMeta } from "./resource.ts";
import type { Report } from "./report.ts";
import type { ObjectSchema } from "./schema/schema.ts";

/** Checks beyond structure, on the spec as read. */
export type ResourceCheck<Spec = unknown> = (spec: Spec, context: { readonly metadata: ObjectMeta; readonly report: Report }) => void;

export interface KindRow {
  readonly kind: Kind;
  readonly group: string;
  readonly versions: readonly string[];
  /** Old versions that are read like the newest one, with a note. */
  readonly oldVersions?: readonly { readonly apiVersion: string; readonly note: string }[];
  readonly clusterScoped?: boolean;
  /** "spec": what stands under `spec`. "flat": the fields beside metadata (ConfigMap, Secret). */
  readonly body: "spec" | "flat";
  readonly specRequired?: boolean;
  readonly schema: ObjectSchema;
  readonly check?: ResourceCheck<never>;
}
