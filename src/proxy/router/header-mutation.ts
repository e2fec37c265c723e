// Header operations of routes, virtual hosts and clusters: formats compiled once, then applied in Envoy's order: remove, overwrite, add.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers (custom request/response headers)
import type { AppendAction, HeaderMutations } from "../config/index.ts";
import type { HeaderList } from "../http/header-list.ts";
import { compileFormat } from "../observe/format.ts";
import type { StreamInfo } from "../observe/stream-info.ts";

export interface CompiledMutation {
  readonly name: string;
  readonly action: AppendAction;
  readonly keepEmpty: boolean;
  readonly value: (info: StreamInfo) => string;
}

export interface CompiledMutations {
  readonly remove: readonly string[];
  readonly add: readonly CompiledMutation[];
}

/** Drops levels that do nothing, so that an empty result means that headers need no editing. */
export function compileMutations(levels: readonly HeaderMutations[]): readonly CompiledMutations[] {
  return levels.filter((level) => level.add.length > 0 || level.remove.length > 0).map(compileLevel);
}

function compileLevel(level: HeaderMutations): CompiledMutations {
  return {
    remove: level.remove,
    add: level.add.map(({ name, value, action, keepEmpty }) => ({ name, action, keepEmpty, value: valueOf(value.literal, value.format) })),
  };
}

function valueOf(literal: string | undefined, source: string): (info: StreamInfo) => string {
  if (literal !== undefined) return () => literal;
  const format = compileFormat(source);
  // Decode refuses formats that do not compile; one that slipped through is sent as it stands.
  if (!format.ok) return () => source;
  return (info) => format.value.render(info, "");
}

/** For decode: undefined = every format compiles. */
export function headerFormatProblem(source: string): string | undefined {
  const format = compileFormat(source);
  return format.ok ? undefined : format.error;
}

export function applyMutations(levels: readonly CompiledMutations[], list: HeaderList, info: StreamInfo): void {
  for (const level of levels) applyLevel(level, list, info);
}

function applyLevel(level: CompiledMutations, list: HeaderList, info: StreamInfo): void {
  for (const name of level.remove) list.remove(name);
  const overwrite: [string, string][] = [];
  const add: [string, string][] = [];
  for (const mutation of level.add) {
    const value = mutation.value(info);
    if (value === "" && !mutation.keepEmpty) continue;
    const present = list.names.includes(mutation.name);
    switch (mutation.action) {
      case "APPEND_IF_EXISTS_OR_ADD":
        add.push([mutation.name, value]);
        break;
      case "ADD_IF_ABSENT":
        if (!present) add.push([mutation.name, value]);
        break;
      case "OVERWRITE_IF_EXISTS":
        if (present) overwrite.push([mutation.name, value]);
        break;
      case "OVERWRITE_IF_EXISTS_OR_ADD":
        overwrite.push([mutation.name, value]);
        break;
    }
  }
  for (const [name, value] of overwrite) list.set(name, value);
  for (const [name, value] of add) list.push(name, value);
}
