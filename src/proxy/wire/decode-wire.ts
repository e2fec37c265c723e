// Protobuf's wire format → values, by the table of fields. https://protobuf.dev/programming-guides/encoding/
import { enumOf, type Field, fieldsOf } from "./fields.ts";
import { joinPath, Refusal } from "./refusal.ts";
import type { Values } from "./values.ts";

const MAX_DEPTH = 64;
const utf8 = new TextDecoder("utf-8", { fatal: true });

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly path: string;
  readonly depth: number;
}

/** Throws a Refusal on broken bytes and on fields that the proxy does not support. */
export function decodeWire(message: string, bytes: Uint8Array, path = ""): Values {
  return readMessage(message, { bytes, at: 0, path, depth: 0 });
}

function readMessage(message: string, cursor: Cursor): Values {
  const fields = fieldsOf(message);
  if (fields === undefined) throw new Refusal(cursor.path, `${message} is not supported`);
  if (cursor.depth > MAX_DEPTH) throw new Refusal(cursor.path, "is nested too deeply");
  const values: Values = new Map();
  while (cursor.at < cursor.bytes.length) {
    const tag = readVarint(cursor);
    const field = fields.byNumber.get(Math.floor(tag / 8));
    if (field === undefined) throw new Refusal(cursor.path, `field ${Math.floor(tag / 8)} of ${message} is not known`);
    if (field.state === "unsupported") throw new Refusal(joinPath(cursor.path, field.name), "is not supported");
    if (field.state === "ignored") skip(cursor, tag & 7);
    else readField(values, field, { cursor, wire: tag & 7 });
  }
  return values;
}

/** One text field of a message that is not read otherwise; "" when it is not there. */
export function peekText(bytes: Uint8Array, field: number): string {
  const cursor: Cursor = { bytes, at: 0, path: "", depth: 0 };
  let found = "";
  while (cursor.at < bytes.length) {
    const tag = readVarint(cursor);
    if (tag === field * 8 + 2) found = text(cursor);
    else skip(cursor, tag & 7);
  }
  return found;
}

interface Source {
  readonly cursor: Cursor;
  readonly wire: number;
}

function readField(values: Values, field: Field, source: Source): void {
  const { cursor, wire } = source;
  const { name } = field;
  if (field.shape === "one") {
    values.set(name, readValue(field, source, joinPath(cursor.path, name)));
  } else if (field.shape === "map") {
    const map = (values.get(name) ?? new Map()) as Map<string, unknown>;
    values.set(name, map);
    readEntry(map, field, inner(cursor, joinPath(cursor.path, name)));
  } else {
    const list = (values.get(name) ?? []) as unknown[];
    values.set(name, list);
    if (wire === 2 && isPackable(field)) {
      const packed = inner(cursor, joinPath(cursor.path, name));
      while (packed.at < packed.bytes.length)
        list.push(readValue(field, { cursor: packed, wire: field.type === "double" ? 1 : 0 }, packed.path));
    } else list.push(readValue(field, source, `${joinPath(cursor.path, name)}[${list.length}]`));
  }
}

function isPackable({ type, wrapped }: Field): boolean {
  return !wrapped && /^(?:bool|u?int\d\d|double|enum)$/.test(type);
}

function readEntry(map: Map<string, unknown>, field: Field, entry: Cursor): void {
  let key = "";
  let value: unknown;
  while (entry.at < entry.bytes.length) {
    const tag = readVarint(entry);
    if (tag >> 3 === 1) key = text(entry);
    else if (tag >> 3 === 2) value = readValue(field, { cursor: entry, wire: tag & 7 }, `${entry.path}[${JSON.stringify(key)}]`);
    else skip(entry, tag & 7);
  }
  map.set(key, value ?? (field.type === "string" ? "" : undefined));
}

function readValue(field: Field, { cursor, wire }: Source, path: string): unknown {
  if (field.wrapped) return readWrapped(field, inner(cursor, path));
  switch (field.type) {
    case "message":
      return readMessage(field.of, inner(cursor, path));
    case "string":
      return text(cursor, wire);
    case "bytes":
      return inner(cursor, path).bytes;
    case "duration":
      return readDuration(inner(cursor, path));
    case "struct":
      return readStruct(inner(cursor, path));
    case "any":
      return readAny(inner(cursor, path));
    case "enum": {
      const number = readVarint(cursor);
      const name = enumOf(field.of).byNumber.get(number);
      if (name === undefined) throw new Refusal(path, `value ${number} is not known`);
      return name;
    }
    default:
      return readScalar(field.type, cursor, wire);
  }
}

function readScalar(type: string, cursor: Cursor, wire: number): unknown {
  if (type === "double") {
    if (wire !== 1) throw broken(cursor);
    return view(take(cursor, 8)).getFloat64(0, true);
  }
  if (wire !== 0) throw broken(cursor);
  const value = readVarint(cursor);
  return type === "bool" ? value !== 0 : type === "int32" ? value | 0 : value;
}

function readWrapped(field: Field, cursor: Cursor): unknown {
  let value: unknown = field.type === "string" ? "" : field.type === "bool" ? false : 0;
  while (cursor.at < cursor.bytes.length) {
    const tag = readVarint(cursor);
    if (tag >> 3 === 1) value = readValue({ ...field, wrapped: false }, { cursor, wire: tag & 7 }, cursor.path);
    else skip(cursor, tag & 7);
  }
  return value;
}

function readDuration(cursor: Cursor): number {
  let ms = 0;
  while (cursor.at < cursor.bytes.length) {
    const tag = readVarint(cursor);
    if (tag === 8) ms += readVarint(cursor) * 1000;
    else if (tag === 16) ms += readVarint(cursor) / 1e6;
    else skip(cursor, tag & 7);
  }
  return ms;
}

function readAny(cursor: Cursor): { typeUrl: string; bytes: Uint8Array } {
  let typeUrl = "";
  let bytes: Uint8Array = new Uint8Array(0);
  while (cursor.at < cursor.bytes.length) {
    const tag = readVarint(cursor);
    if (tag === 10) typeUrl = text(cursor);
    else if (tag === 18) bytes = inner(cursor, cursor.path).bytes;
    else skip(cursor, tag & 7);
  }
  return { typeUrl, bytes };
}

function readStruct(cursor: Cursor): Record<string, unknown> {
  const pairs: [string, unknown][] = [];
  while (cursor.at < cursor.bytes.length) {
    if (readVarint(cursor) !== 10) throw broken(cursor);
    const entry = inner(cursor, cursor.path);
    let key = "";
    let value: unknown = null;
    while (entry.at < entry.bytes.length) {
      if (readVarint(entry) === 10) key = text(entry);
      else value = readStructValue(inner(entry, entry.path));
    }
    pairs.push([key, value]);
  }
  // fromEntries defines own properties, whatever the keys are called.
  return Object.fromEntries(pairs);
}

function readStructValue(cursor: Cursor): unknown {
  let value: unknown = null;
  if (cursor.depth > MAX_DEPTH) throw new Refusal(cursor.path, "is nested too deeply");
  while (cursor.at < cursor.bytes.length) {
    const tag = readVarint(cursor);
    if (tag === 8) value = (readVarint(cursor), null);
    else if (tag === 17) value = view(take(cursor, 8)).getFloat64(0, true);
    else if (tag === 26) value = text(cursor);
    else if (tag === 32) value = readVarint(cursor) !== 0;
    else if (tag === 42) value = readStruct(inner(cursor, cursor.path));
    else if (tag === 50) {
      const list = inner(cursor, cursor.path);
      const items: unknown[] = [];
      while (list.at < list.bytes.length) {
        readVarint(list);
        items.push(readStructValue(inner(list, list.path)));
      }
      value = items;
    } else skip(cursor, tag & 7);
  }
  return value;
}

function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let low = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw broken(cursor);
    // Ten bytes are a negative number: two's complement over 64 bits.
    if (i === 9) return low + (byte & 1) * scale - 2 ** 64;
    low += (byte & 127) * scale;
    if (byte < 128) return low;
    scale *= 128;
  }
  throw broken(cursor);
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length;
  if (length < 0 || end > cursor.bytes.length) throw broken(cursor);
  const part = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}

function inner(cursor: Cursor, path: string): Cursor {
  return { bytes: take(cursor, readVarint(cursor)), at: 0, path, depth: cursor.depth + 1 };
}

function text(cursor: Cursor, wire = 2): string {
  if (wire !== 2) throw broken(cursor);
  const bytes = take(cursor, readVarint(cursor));
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Refusal(cursor.path, "is no UTF-8 text");
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function skip(cursor: Cursor, wire: number): void {
  if (wire === 0) readVarint(cursor);
  else if (wire === 1) take(cursor, 8);
  else if (wire === 2) take(cursor, readVarint(cursor));
  else if (wire === 5) take(cursor, 4);
  else throw broken(cursor);
}

function broken(cursor: Cursor): Refusal {
  return new Refusal(cursor.path, "the encoded message is broken");
}
