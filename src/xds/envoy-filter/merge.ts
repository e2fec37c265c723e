// Merges one message into another as Istio does (pkg/proto/merge): set fields win, messages merge field by field, lists grow, map entries
// and durations are replaced. A zero value is not set, so a patch cannot turn a wrapper back to false or 0.
import { clone, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";

/** What a list of the patch does to a list that is there. */
export type ListRule = "append" | "replace";

const DURATION = "google.protobuf.Duration";

export function mergeInto(schema: DescMessage, target: Message, patch: Message, lists: ListRule = "append"): void {
  merge(reflect(schema, target, false), reflect(schema, patch, false), lists);
}

function copy(value: ReflectMessage): ReflectMessage {
  return reflect(value.desc, clone(value.desc, value.message as never), false);
}

function merge(target: ReflectMessage, patch: ReflectMessage, lists: ListRule): void {
  const unknown = patch.getUnknown();
  if (unknown !== undefined && unknown.length > 0) target.setUnknown([...(target.getUnknown() ?? []), ...unknown]);
  for (const field of patch.fields) if (patch.isSet(field)) mergeField(target, patch, { field, lists });
}

function mergeField(target: ReflectMessage, patch: ReflectMessage, { field, lists }: { field: DescField; lists: ListRule }): void {
  switch (field.fieldKind) {
    case "scalar":
    case "enum":
      target.set(field, patch.get(field));
      return;
    case "message": {
      const value = patch.get(field);
      if (!target.isSet(field) || field.message.typeName === DURATION) {
        target.set(field, copy(value));
        return;
      }
      // Wrappers and structs are made for the asking: what was merged must be put back.
      const merged = target.get(field);
      merge(merged, value, lists);
      target.set(field, merged);
      return;
    }
    case "list": {
      const list = target.get(field);
      if (lists === "replace") list.clear();
      for (const item of patch.get(field)) list.add(field.listKind === "message" ? copy(item as ReflectMessage) : item);
      return;
    }
    case "map": {
      const map = target.get(field);
      for (const [key, value] of patch.get(field)) map.set(key, field.mapKind === "message" ? copy(value as ReflectMessage) : value);
      return;
    }
  }
}
