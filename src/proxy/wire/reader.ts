// Reads decoded values by name, with protobuf's defaults, and knows where it stands, so that a refusal names the field.
import { decodeWire } from "./decode-wire.ts";
import { joinPath, Refusal } from "./refusal.ts";
import { type AnyValue, typeNameOf, type Values } from "./values.ts";

export interface TypedReader {
  readonly typeUrl: string;
  /** Full name of the message. */
  readonly typeName: string;
  read(): Reader;
}

export class Reader {
  readonly path: string;
  readonly values: Values;

  constructor(values: Values, path = "") {
    this.values = values;
    this.path = path;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  text(name: string): string {
    return (this.values.get(name) as string | undefined) ?? "";
  }

  optionalText(name: string): string | undefined {
    return this.values.get(name) as string | undefined;
  }

  flag(name: string, fallback = false): boolean {
    return (this.values.get(name) as boolean | undefined) ?? fallback;
  }

  /** Also durations, in milliseconds. */
  number(name: string, fallback: number): number {
    return (this.values.get(name) as number | undefined) ?? fallback;
  }

  optionalNumber(name: string): number | undefined {
    return this.values.get(name) as number | undefined;
  }

  choice<T extends string>(name: string, fallback: T): T {
    return (this.values.get(name) as T | undefined) ?? fallback;
  }

  bytes(name: string): Uint8Array | undefined {
    return this.values.get(name) as Uint8Array | undefined;
  }

  struct(name: string): Readonly<Record<string, unknown>> | undefined {
    return this.values.get(name) as Readonly<Record<string, unknown>> | undefined;
  }

  structMap(name: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
    return (this.values.get(name) as ReadonlyMap<string, Readonly<Record<string, unknown>>> | undefined) ?? new Map();
  }

  texts(name: string): readonly string[] {
    return (this.values.get(name) as readonly string[] | undefined) ?? [];
  }

  numbers(name: string): readonly number[] {
    return (this.values.get(name) as readonly number[] | undefined) ?? [];
  }

  message(name: string): Reader | undefined {
    const values = this.values.get(name) as Values | undefined;
    return values === undefined ? undefined : new Reader(values, this.at(name));
  }

  messages(name: string): readonly Reader[] {
    const list = (this.values.get(name) as readonly Values[] | undefined) ?? [];
    return list.map((values, i) => new Reader(values, `${this.at(name)}[${i}]`));
  }

  any(name: string): TypedReader | undefined {
    const any = this.values.get(name) as AnyValue | undefined;
    return any === undefined ? undefined : readAny(any, this.at(name));
  }

  anyMap(name: string): readonly (readonly [string, TypedReader])[] {
    const map = (this.values.get(name) as ReadonlyMap<string, AnyValue> | undefined) ?? new Map<string, AnyValue>();
    return [...map].map(([key, any]) => [key, readAny(any, `${this.at(name)}[${JSON.stringify(key)}]`)] as const);
  }

  at(name: string): string {
    return joinPath(this.path, name);
  }

  refuse(name: string, reason: string): never {
    throw new Refusal(name === "" ? this.path : this.at(name), reason);
  }
}

function readAny(any: AnyValue, path: string): TypedReader {
  const typeName = typeNameOf(any.typeUrl);
  return {
    typeUrl: any.typeUrl,
    typeName,
    read: () => new Reader("values" in any ? any.values : decodeWire(typeName, any.bytes, path), path),
  };
}

/** What a message packed in an Any says, when it is the one that is understood there. */
export function readTyped(reader: Reader, name: string, expected: string): Reader | undefined {
  const any = reader.any(name);
  if (any === undefined) return undefined;
  if (any.typeName !== expected) reader.refuse(name, `${any.typeName} is not supported`);
  return any.read();
}
