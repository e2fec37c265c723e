// Names, once per resource, the fields of a Kubernetes kind that Serin keeps but does not use when it runs the workload itself.
import { extendPath } from "../field-path.ts";
import { CODE, type Report } from "../report.ts";
import type { Schema } from "../schema/schema.ts";
import { isIgnored } from "./ignored.ts";

/** Written by Kubernetes itself, or without any bearing on what a user sees. */
const SILENT = new Set([
  "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy", "dnsPolicy", "schedulerName", "clusterIPs", "ipFamilies", "ipFamilyPolicy",
  "internalTrafficPolicy", "progressDeadlineSeconds", "revisionHistoryLimit", "enableServiceLinks", "apiVersion", "generateName", "finalizers",
  "ownerReferences", "allocateLoadBalancerNodePorts", "secrets", "imagePullSecrets", "automountServiceAccountToken",
]); // prettier-ignore

export function reportIgnored(
  subject: { readonly kind: string; readonly schema: Schema; readonly spec: unknown; readonly base: string },
  report: Report,
): void {
  const found: { readonly name: string; readonly path: string }[] = [];
  collect(subject.schema, subject.spec, subject.base, found);
  const names = [...new Set(found.map((entry) => entry.name))].filter((name) => !SILENT.has(name));
  const first = found.find((entry) => names.includes(entry.name));
  if (first === undefined) return;
  report.add("info", {
    code: CODE.ignoredLocally,
    path: first.path,
    message: `${names.join(", ")} ${names.length === 1 ? "has" : "have"} no effect where Serin runs the ${subject.kind} itself`,
    fix: "Nothing to do; Kubernetes uses it.",
  });
}

function collect(schema: Schema, value: unknown, path: string, found: { name: string; path: string }[]): void {
  if (schema.type === "array" && Array.isArray(value)) {
    for (const [index, entry] of value.entries()) collect(schema.item, entry, extendPath(path, index), found);
  }
  if (schema.type !== "object" || typeof value !== "object" || value === null) return;
  for (const [name, entry] of Object.entries(value)) {
    const field = schema.fields[name];
    if (field === undefined) continue;
    const at = extendPath(path, name);
    if (isIgnored(field)) found.push({ name, path: at });
    else collect(field, entry, at, found);
  }
}
