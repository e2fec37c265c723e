// Merges messages that are packed in an Any (Istio networking/util MergeAnyWithAny).
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { allTypes, type Any, packBytes } from "../../envoy-api/index.ts";
import { type ListRule, mergeInto } from "./merge.ts";

/** Istio's code breaks off at such a patch; what it had done until then stays, the rest is left undone. */
export class MergeMismatch extends Error {
  constructor(has: string, gets: string) {
    super(`${gets} cannot be merged into ${has}`);
    this.name = "MergeMismatch";
  }
}

export function typeNameOf(any: Any): string {
  return any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
}

/** undefined: one of the types is not known here, or its bytes are broken; the target then stays as it is. Throws a MergeMismatch. */
export function mergeAny(target: Any, patch: Any, lists: ListRule): Any | undefined {
  const schema = allTypes().getMessage(typeNameOf(target));
  const patchSchema = allTypes().getMessage(typeNameOf(patch));
  if (schema === undefined || patchSchema === undefined) return undefined;
  if (schema !== patchSchema) throw new MergeMismatch(schema.typeName, patchSchema.typeName);
  try {
    const merged = fromBinary(schema, target.value);
    mergeInto(schema, merged, fromBinary(schema, patch.value), lists);
    return packBytes(target.typeUrl, toBinary(schema, merged));
  } catch {
    return undefined;
  }
}
