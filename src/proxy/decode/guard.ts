// Nothing that is set is skipped: every decoder names the fields it implements and those that change nothing here; any other set field
// refuses the resource by its path.
import { type DescMessage, isFieldSet, type MessageShape } from "@bufbuild/protobuf";

export class DecodeError extends Error {}

export function refuse(path: string, why: string): never {
  throw new DecodeError(`${path}: ${why}`);
}

/** Runs a decoder; broken bytes and refusals become the resource's error, with its name. */
export function explainDecodeError(what: string, error: unknown): string {
  return `${what}: ${error instanceof Error ? error.message : String(error)}`;
}

export interface FieldRules {
  /** Implemented. */
  readonly used: readonly string[];
  /** Known, and without effect in this proxy (statistics names, metadata, features of the control plane's side). */
  readonly inert?: readonly string[];
}

/** Field names are protobuf's (snake_case), as users write them. */
export function guard<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>, options: FieldRules & { path: string }): void {
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue;
    if (options.used.includes(field.name) || options.inert?.includes(field.name) === true) continue;
    refuse(`${options.path}.${field.name}`, "this proxy does not support the field yet");
  }
}
