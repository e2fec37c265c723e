// Envoy's protojson (a bootstrap file) → the same values as from bytes, by the same table. https://protobuf.dev/programming-guides/json/
import { enumOf, type Field, fieldsOf } from "./fields.ts";
import { joinPath, Refusal } from "./refusal.ts";
import { type AnyValue, typeNameOf, type Values } from "./values.ts";

type Json = Readonly<Record<string, unknown>>;

/** Throws a Refusal on what does not fit, is not known, or is not supported, by its path in the file. */
export function decodeJson(message: string, json: unknown, path = ""): Values {
  if (!isObject(json)) throw new Refusal(path, "must be an object");
  const fields = fieldsOf(message);
  if (fields === undefined) throw new Refusal(path, `${message} is not supported`);
  const values: Values = new Map();
  for (const [key, value] of Object.entries(json)) {
    const at = joinPath(path, key);
    const field = fields.byName.get(key);
    if (field === undefined) throw new Refusal(at, `${message} has no such field`);
    if (value === null || field.state === "ignored") continue;
    if (field.state === "unsupported") {
      if (isUnset(value)) continue;
      throw new Refusal(at, "is not supported");
    }
    values.set(field.name, readField(field, value, at));
  }
  return values;
}

function isUnset(value: unknown): boolean {
  return value === false || value === "" || value === 0 || (Array.isArray(value) && value.length === 0);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readField(field: Field, value: unknown, path: string): unknown {
  if (field.shape === "list") {
    if (!Array.isArray(value)) throw new Refusal(path, "must be a list");
    return value.map((item, i) => readValue(field, item, `${path}[${i}]`));
  }
  if (field.shape === "map") {
    if (!isObject(value)) throw new Refusal(path, "must be an object");
    return new Map(Object.entries(value).map(([key, item]) => [key, readValue(field, item, `${path}[${JSON.stringify(key)}]`)]));
  }
  return readValue(field, value, path);
}

function readValue(field: Field, value: unknown, path: string): unknown {
  switch (field.type) {
    case "message":
      return decodeJson(field.of, value, path);
    case "any":
      return readAny(value, path);
    case "struct":
      if (!isObject(value)) throw new Refusal(path, "must be an object");
      return value;
    case "duration":
      return readDuration(value, path);
    case "enum":
      return readEnum(field, value, path);
    case "bool":
      if (typeof value !== "boolean") throw new Refusal(path, "must be true or false");
      return value;
    case "string":
      if (typeof value !== "string") throw new Refusal(path, "must be a text");
      return value;
    case "bytes":
      if (typeof value !== "string") throw new Refusal(path, "must be base64");
      return new Uint8Array(Buffer.from(value, "base64"));
    default:
      return readNumber(field.type, value, path);
  }
}

function readNumber(type: string, value: unknown, path: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) throw new Refusal(path, "must be a number");
  if (type === "double") return number;
  const min = type.startsWith("u") ? 0 : -(2 ** 31);
  const max = type.endsWith("64") ? Number.MAX_SAFE_INTEGER : type === "int32" ? 2 ** 31 - 1 : 2 ** 32 - 1;
  if (!Number.isInteger(number) || number > max || (number < min && type !== "int64"))
    throw new Refusal(path, `${number} is no ${type === "int32" || type === "int64" ? "" : "positive "}whole number in range`);
  return number;
}

function readDuration(value: unknown, path: string): number {
  const match = typeof value === "string" ? /^(-?\d+(?:\.\d{1,9})?)s$/.exec(value) : null;
  if (match === null) throw new Refusal(path, 'must be a duration in seconds, like "1.5s"');
  return Number(match[1]) * 1000;
}

function readEnum(field: Field, value: unknown, path: string): string {
  const { byName, byNumber } = enumOf(field.of);
  if (typeof value === "string" && byName.has(value)) return value;
  const name = typeof value === "number" ? byNumber.get(value) : undefined;
  if (name === undefined) throw new Refusal(path, `${JSON.stringify(value)} is none of ${[...byName.keys()].join(", ")}`);
  return name;
}

function readAny(value: unknown, path: string): AnyValue {
  if (!isObject(value)) throw new Refusal(path, "must be an object");
  const { "@type": typeUrl, ...rest } = value;
  if (typeof typeUrl !== "string") throw new Refusal(path, "has no @type");
  const name = typeNameOf(typeUrl);
  if (fieldsOf(name) === undefined) throw new Refusal(path, `${name} is not supported`);
  return { typeUrl, values: decodeJson(name, rest, path) };
}
