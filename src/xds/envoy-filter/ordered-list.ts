// Additions, removals and replacements in lists that have an order: HTTP filters, network filters, listener filters.
// Without an anchor INSERT_BEFORE is first and INSERT_AFTER last; with one that is not there, nothing happens.
import type { PatchOperation } from "../../model/index.ts";

export interface ListPatch<T> {
  readonly operation: PatchOperation;
  /** A new copy of the patch's value. */
  readonly make: () => T;
  /** undefined: the patch names no anchor. */
  readonly isAnchor: ((item: T) => boolean) | undefined;
}

/** The list after the operation; MERGE is not one of a list. */
export function patchList<T>(list: readonly T[], { operation, make, isAnchor }: ListPatch<T>): readonly T[] {
  switch (operation) {
    case "ADD":
      return [...list, make()];
    case "INSERT_FIRST":
      return [make(), ...list];
    case "INSERT_BEFORE":
      return isAnchor === undefined ? [make(), ...list] : insertAt(list, list.findIndex(isAnchor), make);
    case "INSERT_AFTER": {
      if (isAnchor === undefined) return [...list, make()];
      const at = list.findIndex(isAnchor);
      return at < 0 ? list : insertAt(list, at + 1, make);
    }
    case "REPLACE": {
      const at = isAnchor === undefined ? -1 : list.findIndex(isAnchor);
      return at < 0 ? list : list.with(at, make());
    }
    case "REMOVE":
      return isAnchor === undefined ? list : list.filter((item) => !isAnchor(item));
    case "MERGE":
    case "MERGE_AND_REPLACE_LIST":
      return list;
  }
}

function insertAt<T>(list: readonly T[], at: number, make: () => T): readonly T[] {
  return at < 0 ? list : list.toSpliced(at, 0, make());
}
