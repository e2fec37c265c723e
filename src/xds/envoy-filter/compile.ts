// A patch's value, JSON of an Envoy message, becomes that message; the patches of a proxy are sorted by what they apply to.
// Every value is read once; one that cannot be read leaves its patch out and nothing else.
import type { DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import {
  ClusterSchema,
  FilterChainSchema,
  FilterSchema,
  fromAnyProtoJson,
  HttpFilterSchema,
  ListenerFilterSchema,
  ListenerSchema,
  RouteConfigurationSchema,
  RouteSchema,
  TypedExtensionConfigSchema,
  VirtualHostSchema,
} from "../../envoy-api/index.ts";
import { err, memoByIdentity, ok, type Result } from "../../kit/index.ts";
import type { ApplyTo, EnvoyPatch } from "../../model/index.ts";

/** BOOTSTRAP is not here: a bootstrap is made where a proxy is started, not by the control plane. */
const SCHEMAS: Readonly<Partial<Record<ApplyTo, DescMessage>>> = {
  LISTENER: ListenerSchema,
  LISTENER_FILTER: ListenerFilterSchema,
  FILTER_CHAIN: FilterChainSchema,
  NETWORK_FILTER: FilterSchema,
  HTTP_FILTER: HttpFilterSchema,
  ROUTE_CONFIGURATION: RouteConfigurationSchema,
  VIRTUAL_HOST: VirtualHostSchema,
  HTTP_ROUTE: RouteSchema,
  CLUSTER: ClusterSchema,
  EXTENSION_CONFIG: TypedExtensionConfigSchema,
};

/** Full name of the message that a patch's value is; undefined where there is none to be read. */
export function patchedMessage(applyTo: ApplyTo): string | undefined {
  return SCHEMAS[applyTo]?.typeName;
}

export interface CompiledPatch {
  readonly patch: EnvoyPatch;
  /** Of the type that `applyTo` stands for; undefined where the operation needs none. */
  readonly value: Message | undefined;
}

export type CompiledPatches = ReadonlyMap<ApplyTo, readonly CompiledPatch[]>;

/** What is wrong with a value, in words; a second reading that minds unknown fields is for checks only. */
export function readValue(patch: EnvoyPatch, options: { readonly lenient: boolean }): Result<Message | undefined> {
  const schema = SCHEMAS[patch.applyTo];
  if (schema === undefined || patch.value === undefined || patch.value === null) return ok(undefined);
  try {
    return ok(fromAnyProtoJson(schema, patch.value as JsonValue, options));
  } catch (error) {
    return err(problemOf(error));
  }
}

function problemOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const type = /(?:message|type) ([\w.]+) (?:is )?not (?:in|found in) (?:the )?(?:type )?registry/.exec(text);
  return type?.[1] === undefined ? text : `the type ${type[1]} is not known`;
}

const compileOne = memoByIdentity((patch: EnvoyPatch): CompiledPatch | undefined => {
  const value = readValue(patch, { lenient: true });
  return value.ok ? { patch, value: value.value } : undefined;
});

export const compilePatches: (patches: readonly EnvoyPatch[]) => CompiledPatches = memoByIdentity((patches) => {
  const sorted = new Map<ApplyTo, CompiledPatch[]>();
  for (const patch of patches) {
    const compiled = compileOne(patch);
    if (compiled === undefined) continue;
    const group = sorted.get(patch.applyTo);
    if (group === undefined) sorted.set(patch.applyTo, [compiled]);
    else group.push(compiled);
  }
  return sorted;
});

const NONE: readonly CompiledPatch[] = Object.freeze([]);

export function patchesTo(applyTo: ApplyTo, patches: CompiledPatches): readonly CompiledPatch[] {
  return patches.get(applyTo) ?? NONE;
}
