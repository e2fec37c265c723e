// The language in which kinds are described: structure, limits, groups of which one may be set, and checks beside the field they are about.
// A schema is a value, walked by read.ts; nothing here knows a kind.
import type { Report } from "../report.ts";

/** Called with the value as read (defaults filled in) when its structure is right. */
export type Check<T> = (value: T, path: string, report: Report) => void;

interface Base<T> {
  readonly check?: Check<T> | undefined;
  readonly required?: boolean;
  readonly default?: unknown;
  /** Written down under another name (an old spelling of the API). */
  readonly oldNameOf?: string;
  /** Null stays null (where null means something), instead of "not set". */
  readonly keepNull?: boolean;
}

export interface StringSchema extends Base<string> {
  readonly type: "string";
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** What the pattern wants, for the message. */
  readonly patternName?: string;
  /** Numbers and booleans are read as text, with a warning (metadata, as istiod does). */
  readonly lenient?: boolean;
}

export interface NumberSchema extends Base<number> {
  readonly type: "int" | "number";
  readonly min?: number;
  readonly max?: number;
}

export interface BoolSchema extends Base<boolean> {
  readonly type: "bool";
}

export interface IntOrStringSchema extends Base<number | string> {
  readonly type: "intOrString";
}

export interface EnumSchema extends Base<string> {
  readonly type: "enum";
  readonly values: readonly string[];
}

export interface ArraySchema extends Base<readonly unknown[]> {
  readonly type: "array";
  readonly item: Schema;
  readonly min?: number;
  readonly max?: number;
}

export interface MapSchema extends Base<Readonly<Record<string, unknown>>> {
  readonly type: "map";
  readonly value: Schema;
  readonly min?: number;
  readonly max?: number;
}

export interface Rule {
  readonly message: string;
  readonly test: (self: Readonly<Record<string, unknown>>) => boolean;
  readonly field?: string;
  readonly fix?: string;
}

export interface ObjectSchema extends Base<never> {
  readonly type: "object";
  readonly fields: Readonly<Record<string, Schema>>;
  /** Of each group at most one field may be written down. */
  readonly oneOf?: readonly (readonly string[])[];
  readonly rules?: readonly Rule[];
  readonly objectCheck?: (value: never, path: string, report: Report) => void;
}

/** Any JSON value, kept as it is. */
export interface AnySchema extends Base<unknown> {
  readonly type: "any";
}

export type Schema =
  | StringSchema
  | NumberSchema
  | BoolSchema
  | IntOrStringSchema
  | EnumSchema
  | ArraySchema
  | MapSchema
  | ObjectSchema
  | AnySchema;

type Options<S extends Schema> = Omit<S, "type" | "item" | "value" | "values" | "fields" | "required">;

export function str(options: Options<StringSchema> = {}): StringSchema {
  return { type: "string", ...options };
}

export function int(options: Options<NumberSchema> = {}): NumberSchema {
  return { type: "int", ...options };
}

export function uint32(options: Options<NumberSchema> = {}): NumberSchema {
  return { type: "int", min: 0, max: 4_294_967_295, ...options };
}

export function int32(options: Options<NumberSchema> = {}): NumberSchema {
  return { type: "int", min: -2_147_483_648, max: 2_147_483_647, ...options };
}

export function num(options: Options<NumberSchema> = {}): NumberSchema {
  return { type: "number", ...options };
}

export function bool(options: Options<BoolSchema> = {}): BoolSchema {
  return { type: "bool", ...options };
}

export function intOrString(options: Options<IntOrStringSchema> = {}): IntOrStringSchema {
  return { type: "intOrString", ...options };
}

export function enumOf(values: readonly string[], options: Options<EnumSchema> = {}): EnumSchema {
  return { type: "enum", values, ...options };
}

export function list(item: Schema, options: Options<ArraySchema> = {}): ArraySchema {
  return { type: "array", item, ...options };
}

export function map(value: Schema, options: Options<MapSchema> = {}): MapSchema {
  return { type: "map", value, ...options };
}

export function any(options: Options<AnySchema> = {}): AnySchema {
  return { type: "any", ...options };
}

export interface ObjectOptions<T> {
  readonly oneOf?: readonly (readonly string[])[];
  readonly rules?: readonly Rule[];
  readonly check?: Check<T>;
  readonly default?: unknown;
  readonly keepNull?: boolean;
}

export function obj<T = Readonly<Record<string, unknown>>>(
  fields: Readonly<Record<string, Schema>>,
  options: ObjectOptions<T> = {},
): ObjectSchema {
  const { check, ...rest } = options;
  return {
    type: "object",
    fields,
    ...rest,
    ...(check === undefined ? {} : { objectCheck: check as (value: never, path: string, report: Report) => void }),
  };
}

export function req<S extends Schema>(schema: S): S {
  return { ...schema, required: true };
}

/** The same field under an old name of the API. */
export function oldName<S extends Schema>(schema: S, of: string): S {
  return { ...schema, oldNameOf: of };
}

/** Null is kept: it means something else than "not set" here. */
export function nullable<S extends Schema>(schema: S): S {
  return { ...schema, keepNull: true };
}
