// Values → protobuf's wire format, by the table of fields: what the xDS client sends.
import { enumOf, type Field, fieldsOf } from "./fields.ts";
import type { AnyValue, Values } from "./values.ts";

/** Fields that the table does not have are a mistake of ours. */
export function encodeWire(message: string, values: Values): Uint8Array {
  return Buffer.concat(messageParts(message, values));
}

function messageParts(message: string, values: Values): Uint8Array[] {
  const fields = fieldsOf(message);
  if (fields === undefined) throw new Error(`no message ${message} in the table`);
  const parts: Uint8Array[] = [];
  for (const [name, value] of values) {
    const field = fields.byName.get(name);
    if (field === undefined || field.state !== "read") throw new Error(`no field ${name} in ${message}`);
    if (value !== undefined) pushField(parts, field, value);
  }
  return parts;
}

function pushField(parts: Uint8Array[], field: Field, value: unknown): void {
  const { number } = field;
  if (field.shape === "list") for (const item of value as readonly unknown[]) pushValue(parts, field, item);
  else if (field.shape === "map") {
    for (const [key, item] of value as ReadonlyMap<string, unknown>) {
      const entry: Uint8Array[] = [];
      pushBytes(entry, 1, Buffer.from(key, "utf8"));
      pushValue(entry, { ...field, number: 2, shape: "one" }, item);
      pushBytes(parts, number, Buffer.concat(entry));
    }
  } else pushValue(parts, field, value);
}

function pushValue(parts: Uint8Array[], field: Field, value: unknown): void {
  const { number } = field;
  if (field.wrapped) {
    const inside: Uint8Array[] = [];
    pushValue(inside, { ...field, number: 1, wrapped: false }, value);
    pushBytes(parts, number, Buffer.concat(inside));
    return;
  }
  switch (field.type) {
    case "message":
      return pushBytes(parts, number, encodeWire(field.of, value as Values));
    case "string":
      return pushBytes(parts, number, Buffer.from(value as string, "utf8"));
    case "bytes":
      return pushBytes(parts, number, value as Uint8Array);
    case "struct":
      return pushBytes(parts, number, encodeStruct(value as Readonly<Record<string, unknown>>));
    case "any": {
      const any = value as AnyValue;
      if (!("bytes" in any)) throw new Error("an Any is encoded with its bytes only");
      return pushBytes(parts, number, encodeAny(any.typeUrl, any.bytes));
    }
    case "duration":
      return pushBytes(parts, number, encodeDuration(value as number));
    case "enum":
      parts.push(varint(number * 8), varint(enumOf(field.of).byName.get(value as string) ?? 0));
      return undefined;
    case "double":
      parts.push(varint(number * 8 + 1), float64(value as number));
      return undefined;
    default:
      parts.push(varint(number * 8), varint(Number(value)));
      return undefined;
  }
}

function encodeAny(typeUrl: string, bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  pushBytes(parts, 1, Buffer.from(typeUrl, "utf8"));
  pushBytes(parts, 2, bytes);
  return Buffer.concat(parts);
}

function encodeDuration(ms: number): Uint8Array {
  const seconds = Math.trunc(ms / 1000);
  return Buffer.concat([varint(8), varint(seconds), varint(16), varint(Math.round((ms - seconds * 1000) * 1e6))]);
}

function encodeStruct(struct: Readonly<Record<string, unknown>>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [key, value] of Object.entries(struct)) {
    const entry: Uint8Array[] = [];
    pushBytes(entry, 1, Buffer.from(key, "utf8"));
    pushBytes(entry, 2, encodeStructValue(value));
    pushBytes(parts, 1, Buffer.concat(entry));
  }
  return Buffer.concat(parts);
}

function encodeStructValue(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  if (value === null || value === undefined) parts.push(varint(8), varint(0));
  else if (typeof value === "number") parts.push(varint(17), float64(value));
  else if (typeof value === "boolean") parts.push(varint(32), varint(Number(value)));
  else if (typeof value === "string") pushBytes(parts, 3, Buffer.from(value, "utf8"));
  else if (Array.isArray(value)) {
    const items: Uint8Array[] = [];
    for (const item of value) pushBytes(items, 1, encodeStructValue(item));
    pushBytes(parts, 6, Buffer.concat(items));
  } else pushBytes(parts, 5, encodeStruct(value as Readonly<Record<string, unknown>>));
  return Buffer.concat(parts);
}

function pushBytes(parts: Uint8Array[], number: number, bytes: Uint8Array): void {
  parts.push(varint(number * 8 + 2), varint(bytes.length), bytes);
}

function float64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
