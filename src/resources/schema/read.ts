// Walks a value along its schema: a new frozen value with defaults filled in, and issues with paths for whatever does not fit.
import { joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { CODE } from "../report.ts";
import type { ArraySchema, MapSchema, NumberSchema, ObjectSchema, Rule, Schema, StringSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";

export function readValue(schema: Schema, value: unknown, at: { readonly path: string; readonly report: Report }): unknown {
  return read(schema, value, at.path, at.report);
}

const FAILED = Symbol("failed");

function read(schema: Schema, value: unknown, path: string, report: Report): unknown {
  const result = readShape(schema, value, path, report);
  if (result === FAILED) return undefined;
  if (schema.type !== "object")
    (schema.check as ((value: unknown, path: string, report: Report) => void) | undefined)?.(result, path, report);
  return result;
}

function readShape(schema: Schema, value: unknown, path: string, report: Report): unknown {
  switch (schema.type) {
    case "any":
      return frozenCopy(value);
    case "string":
      return typeof value === "string" ? readString(schema, value, path, report) : readNoString(schema, value, path, report);
    case "bool":
      return typeof value === "boolean" ? value : wrongType("true or false", value, path, report);
    case "int":
    case "number":
      return typeof value === "number" ? readNumber(schema, value, path, report) : wrongType("a number", value, path, report);
    case "intOrString":
      if (typeof value === "string" || Number.isInteger(value)) return value;
      return wrongType("a whole number or text", value, path, report);
    case "enum":
      return typeof value === "string" ? readEnum(schema.values, value, path, report) : wrongType("text", value, path, report);
    case "array":
      return Array.isArray(value) ? readArray(schema, value, path, report) : wrongType("a list", value, path, report);
    case "map":
      return isObject(value) ? readMap(schema, value, path, report) : wrongType("a mapping", value, path, report);
    case "object":
      return isObject(value) ? readObject(schema, value, path, report) : wrongType("a mapping", value, path, report);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

function fixOf(wanted: string, value: unknown): string | undefined {
  const scalar = typeof value === "number" || typeof value === "boolean";
  if (wanted === "text" && scalar) return "Put it in quotes.";
  if (wanted === "a number" && typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)))
    return "Write it without quotes.";
  if (wanted === "true or false" && (value === "true" || value === "false")) return "Write it without quotes.";
  if (wanted === "a list" && (isObject(value) || typeof value === "string")) return "Start it with `- `.";
  return undefined;
}

function wrongType(wanted: string, value: unknown, path: string, report: Report): typeof FAILED {
  report.error(path, `must be ${wanted}, but is ${describe(value)}`, fixOf(wanted, value));
  return FAILED;
}

function readString(schema: StringSchema, value: string, path: string, report: Report): unknown {
  if (schema.min !== undefined && value.length < schema.min) {
    report.error(path, schema.min === 1 ? "must not be empty" : `must have at least ${schema.min} characters`);
    return FAILED;
  }
  if (schema.max !== undefined && value.length > schema.max) {
    report.error(path, `must have at most ${schema.max} characters, but has ${value.length}`);
    return FAILED;
  }
  if (schema.pattern !== undefined && !schema.pattern.test(value)) {
    report.error(path, `${JSON.stringify(value)} is not ${schema.patternName ?? `of the form ${schema.pattern.source}`}`);
    return FAILED;
  }
  return value;
}

function readNoString(schema: StringSchema, value: unknown, path: string, report: Report): unknown {
  if (schema.lenient !== true || (typeof value !== "number" && typeof value !== "boolean")) return wrongType("text", value, path, report);
  report.warning(path, `must be text, but is ${describe(value)}; it is read as "${value}", Kubernetes refuses it`, "Put it in quotes.");
  return readString(schema, String(value), path, report);
}

function readNumber(schema: NumberSchema, value: number, path: string, report: Report): unknown {
  if (!Number.isFinite(value) || (schema.type === "int" && !Number.isSafeInteger(value))) {
    return wrongType(schema.type === "int" ? "a whole number" : "a number", value, path, report);
  }
  if ((schema.min !== undefined && value < schema.min) || (schema.max !== undefined && value > schema.max)) {
    const range =
      schema.max === undefined
        ? `at least ${schema.min}`
        : schema.min === undefined
          ? `at most ${schema.max}`
          : `from ${schema.min} to ${schema.max}`;
    report.error(path, `must be ${range}, but is ${value}`);
    return FAILED;
  }
  return value;
}

function readEnum(values: readonly string[], value: string, path: string, report: Report): unknown {
  if (values.includes(value)) return value;
  const near = suggest(value, values);
  report.error(
    path,
    `${JSON.stringify(value)} is none of ${values.join(", ")}${near === undefined ? "" : `; did you mean ${near}?`}`,
    near === undefined ? `Use one of ${values.join(", ")}.` : `Write ${near}.`,
  );
  return FAILED;
}

function checkSize(schema: ArraySchema | MapSchema, size: number, path: string, report: Report): boolean {
  if (schema.min !== undefined && size < schema.min)
    report.error(path, `must have at least ${schema.min} ${schema.min === 1 ? "entry" : "entries"}`);
  else if (schema.max !== undefined && size > schema.max) report.error(path, `must have at most ${schema.max} entries, but has ${size}`);
  else return true;
  return false;
}

function readArray(schema: ArraySchema, value: readonly unknown[], path: string, report: Report): unknown {
  if (!checkSize(schema, value.length, path, report)) return FAILED;
  let ok = true;
  const result: unknown[] = [];
  for (const [index, entry] of value.entries()) {
    const at = joinPath(path, index);
    if (entry === null && schema.item.keepNull === true) {
      result.push(null);
      continue;
    }
    if (entry === null) {
      report.error(at, "an entry of the list is empty (null)", "Remove the entry or fill it in.");
      ok = false;
      continue;
    }
    const entryRead = read(schema.item, entry, at, report);
    if (entryRead === undefined) ok = false;
    result.push(entryRead);
  }
  return ok ? Object.freeze(result) : FAILED;
}

function readMap(schema: MapSchema, value: Readonly<Record<string, unknown>>, path: string, report: Report): unknown {
  const entries = Object.entries(value);
  if (!checkSize(schema, entries.length, path, report)) return FAILED;
  let ok = true;
  // Keys are the user's: no prototype, so that a look-up finds only them.
  const result = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of entries) {
    const at = joinPath(path, key);
    if (entry === null && schema.value.keepNull === true) {
      result[key] = null;
      continue;
    }
    const entryRead = read(schema.value, entry, at, report);
    if (entryRead === undefined) ok = false;
    result[key] = entryRead;
  }
  return ok ? Object.freeze(result) : FAILED;
}

function readObject(schema: ObjectSchema, value: Readonly<Record<string, unknown>>, path: string, report: Report): unknown {
  let ok = true;
  const result: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value)) {
    const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
    if (field === undefined) {
      reportUnknown(schema, name, path, report);
      ok = false;
      continue;
    }
    const target = field.oldNameOf ?? name;
    if (entry === undefined) continue;
    if (entry === null) {
      if (field.keepNull === true) result[target] = null;
      continue;
    }
    if (target !== name) {
      // Servers write both names with one value; that is no contradiction.
      if (Object.hasOwn(value, target) && value[target] === entry) continue;
      reportOldName({ name, target, both: Object.hasOwn(value, target), path: joinPath(path, name) }, report);
    }
    const entryRead = read(field, entry, joinPath(path, name), report);
    if (entryRead === undefined) ok = false;
    else result[target] = entryRead;
  }
  for (const [name, field] of Object.entries(schema.fields)) {
    if (Object.hasOwn(result, name)) continue;
    const written = value[name];
    if (field.required === true && (written === undefined || written === null)) {
      report.error(path, `the field ${name} is required`, `Add ${joinPath(path, name)}.`);
      ok = false;
    } else if (field.default !== undefined && (written === undefined || written === null)) {
      result[name] = field.default;
    }
  }
  if (!ok) return FAILED;
  for (const group of schema.oneOf ?? []) if (!checkOneOf(group, result, path, report)) ok = false;
  for (const rule of schema.rules ?? []) if (!checkRule(rule, result, path, report)) ok = false;
  if (!ok) return FAILED;
  Object.freeze(result);
  schema.objectCheck?.(result as never, path, report);
  return result;
}

function reportUnknown(schema: ObjectSchema, name: string, path: string, report: Report): void {
  const known = Object.keys(schema.fields);
  const near = suggest(name, known);
  report.error(
    joinPath(path, name),
    `unknown field \`${name}\`${near === undefined ? "" : `, did you mean \`${near}\`?`}`,
    near === undefined ? (known.length <= 12 ? `Remove it; known here: ${known.join(", ")}.` : "Remove it.") : `Rename it to ${near}.`,
  );
}

function reportOldName(field: { name: string; target: string; both: boolean; path: string }, report: Report): void {
  if (field.both) report.error(field.path, `${field.name} and ${field.target} are the same field`, `Remove ${field.name}.`);
  else
    report.add("warning", {
      code: CODE.deprecated,
      path: field.path,
      message: `${field.name} is an old name of ${field.target}`,
      fix: `Rename it to ${field.target}.`,
    });
}

function checkOneOf(group: readonly string[], value: Readonly<Record<string, unknown>>, path: string, report: Report): boolean {
  const set = group.filter((name) => value[name] !== undefined);
  if (set.length <= 1) return true;
  report.error(
    joinPath(path, set[1] ?? ""),
    `only one of ${group.join(", ")} can be set, but there are ${set.join(" and ")}`,
    "Keep one of them.",
  );
  return false;
}

function checkRule(rule: Rule, value: Readonly<Record<string, unknown>>, path: string, report: Report): boolean {
  if (rule.test(value)) return true;
  report.error(rule.field === undefined ? path : joinPath(path, rule.field), rule.message, rule.fix);
  return false;
}

/** A frozen copy: what the caller gave stays the caller's. */
function frozenCopy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, frozenCopy(entry)])));
}
