// Header operations (Istio networking/core/route/route.go translateHeadersOperations): remove, then all sets, then all adds. Setting Host
// is a host rewrite; pseudo headers cannot be touched otherwise.
import {
  create,
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as Append,
  HeaderValueOptionSchema,
} from "../../envoy-api/index.ts";
import type { HeaderOperations, Headers } from "../../model/index.ts";

const isHost = (name: string): boolean => name.toLowerCase() === "host" || name.toLowerCase() === ":authority";
const isInternal = (name: string): boolean => name.startsWith(":") || isHost(name);

export function headerOption(name: string, value: string, appendAction: Append): HeaderValueOption {
  return create(HeaderValueOptionSchema, { header: { key: name, value }, appendAction });
}

function additions(operations: HeaderOperations | undefined): HeaderValueOption[] {
  if (operations === undefined) return [];
  return [
    ...operations.set
      .filter(([name]) => !isInternal(name))
      .map(([name, value]) => headerOption(name, value, Append.OVERWRITE_IF_EXISTS_OR_ADD)),
    ...operations.add
      .filter(([name]) => !isInternal(name))
      .map(([name, value]) => headerOption(name, value, Append.APPEND_IF_EXISTS_OR_ADD)),
  ];
}

function removals(operations: HeaderOperations | undefined): string[] {
  return (operations?.remove ?? []).filter((name) => !isInternal(name));
}

export interface HeaderFields {
  readonly requestHeadersToAdd: HeaderValueOption[];
  readonly requestHeadersToRemove: string[];
  readonly responseHeadersToAdd: HeaderValueOption[];
  readonly responseHeadersToRemove: string[];
}

/** The operations of several levels in one place, in the order given. */
export function headerFields(...levels: readonly (Headers | undefined)[]): HeaderFields {
  return {
    requestHeadersToAdd: levels.flatMap((h) => additions(h?.request)),
    requestHeadersToRemove: levels.flatMap((h) => removals(h?.request)),
    responseHeadersToAdd: levels.flatMap((h) => additions(h?.response)),
    responseHeadersToRemove: levels.flatMap((h) => removals(h?.response)),
  };
}

/** The value that Host is set to, if it is; adding one means the same. */
export function hostSetBy(headers: Headers | undefined): string | undefined {
  const valueIn = (operations: HeaderOperations["set"] | undefined): string | undefined =>
    operations?.find(([name, value]) => isHost(name) && value !== "")?.[1];
  return valueIn(headers?.request.set) ?? valueIn(headers?.request.add);
}
