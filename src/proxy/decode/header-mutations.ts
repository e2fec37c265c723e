// Header operations of every level, with their values checked as formats.
import { type HeaderValueOption, HeaderValueOption_HeaderAppendAction as Append } from "../../envoy-api/index.ts";
import type { AppendAction, HeaderMutation, HeaderMutations } from "../config/index.ts";
import { compileFormat } from "../observe/format.ts";
import { refuse } from "./guard.ts";
import { bytesOf } from "./string-matcher.ts";

const APPEND: Readonly<Record<Append, AppendAction>> = {
  [Append.APPEND_IF_EXISTS_OR_ADD]: "APPEND_IF_EXISTS_OR_ADD",
  [Append.ADD_IF_ABSENT]: "ADD_IF_ABSENT",
  [Append.OVERWRITE_IF_EXISTS_OR_ADD]: "OVERWRITE_IF_EXISTS_OR_ADD",
  [Append.OVERWRITE_IF_EXISTS]: "OVERWRITE_IF_EXISTS",
};

interface MutationFields {
  readonly add: readonly HeaderValueOption[];
  readonly remove: readonly string[];
}

export function toMutations(fields: MutationFields, path: string): HeaderMutations {
  const add = fields.add.map((option): HeaderMutation => {
    const name = option.header?.key ?? "";
    const source = bytesOf(option.header?.value ?? "");
    const format = compileFormat(source);
    if (!format.ok) refuse(`${path} ${name}`, format.error);
    const action =
      option.append === undefined ? APPEND[option.appendAction] : option.append ? "APPEND_IF_EXISTS_OR_ADD" : "OVERWRITE_IF_EXISTS_OR_ADD";
    const literal = source.includes("%") ? undefined : source;
    return { name: name.toLowerCase(), value: { literal, format: source }, action, keepEmpty: option.keepEmptyValue };
  });
  return { add, remove: fields.remove.map((name) => name.toLowerCase()) };
}
