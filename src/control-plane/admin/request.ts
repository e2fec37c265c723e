// Bodies and queries of the admin API, unknown → typed, or ADMIN_BAD_REQUEST with the field that is wrong.
import type { ApplyRequest, PodList, PodReport, ResourceKey } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";

type Fields = Readonly<Record<string, unknown>>;

function bad(message: string): SerinError {
  return new SerinError("ADMIN_BAD_REQUEST", message);
}

function toFields(value: unknown, path: string): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw bad(`${path} must be an object`);
  return value as Fields;
}

function toList(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`${path} must be a list`);
  return value;
}

function toText(value: unknown, path: string): string {
  if (typeof value !== "string") throw bad(`${path} must be a string`);
  return value;
}

function toTexts(value: unknown, path: string): Readonly<Record<string, string>> {
  const fields = toFields(value ?? {}, path);
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, toText(text, `${path}.${name}`)]));
}

function toResourceKey(value: unknown, path: string): ResourceKey {
  const { kind, namespace, name } = toFields(value, path);
  return { kind: toText(kind, `${path}.kind`), namespace: toText(namespace, `${path}.namespace`), name: toText(name, `${path}.name`) };
}

export function parseApplyRequest(body: unknown): ApplyRequest {
  const { documents, dryRun } = toFields(body, "body");
  if (dryRun !== undefined && typeof dryRun !== "boolean") throw bad("dryRun must be a boolean");
  return {
    documents: toList(documents, "documents").map((document, i) => {
      const { file, text } = toFields(document, `documents[${i}]`);
      return { file: toText(file, `documents[${i}].file`), text: toText(text, `documents[${i}].text`) };
    }),
    ...(dryRun === undefined ? {} : { dryRun }),
  };
}

export function parseKeys(body: unknown): readonly ResourceKey[] {
  return toList(toFields(body, "body")["resources"], "resources").map((value, i) => toResourceKey(value, `resources[${i}]`));
}

export function parseStatus(body: unknown): { readonly status: unknown; readonly resourceVersion: string | undefined } {
  const { status, resourceVersion } = toFields(body, "body");
  toFields(status, "status");
  return { status, resourceVersion: resourceVersion === undefined ? undefined : toText(resourceVersion, "resourceVersion") };
}

export function parsePodList(body: unknown): PodList {
  return { pods: toList(toFields(body, "body")["pods"], "pods").map((value, i) => toPodReport(value, `pods[${i}]`)) };
}

function toPodReport(value: unknown, path: string): PodReport {
  const pod = toFields(value, path);
  const status = toFields(pod["status"], `${path}.status`);
  toText(status["podIP"], `${path}.status.podIP`);
  if (typeof status["ready"] !== "boolean") throw bad(`${path}.status.ready must be a boolean`);
  for (const [i, port] of toList(status["ports"], `${path}.status.ports`).entries()) {
    const fields = toFields(port, `${path}.status.ports[${i}]`);
    for (const name of ["containerPort", "appPort", "meshPort"]) {
      const number = fields[name];
      if (!Number.isInteger(number) || (number as number) < 1 || (number as number) > 65_535)
        throw bad(`${path}.status.ports[${i}].${name} must be a port`);
    }
  }
  return {
    name: toText(pod["name"], `${path}.name`),
    namespace: toText(pod["namespace"], `${path}.namespace`),
    labels: toTexts(pod["labels"], `${path}.labels`),
    annotations: toTexts(pod["annotations"], `${path}.annotations`),
    serviceAccount: toText(pod["serviceAccount"] ?? "default", `${path}.serviceAccount`),
    owner: pod["owner"] === undefined || pod["owner"] === null ? undefined : toResourceKey(pod["owner"], `${path}.owner`),
    status,
  };
}

export function parseNumber(
  text: string | null,
  options: { readonly name: string; readonly max: number; readonly absent: number },
): number {
  if (text === null) return options.absent;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value) || value > options.max) throw bad(`${options.name} must be a whole number up to ${options.max}`);
  return value;
}
