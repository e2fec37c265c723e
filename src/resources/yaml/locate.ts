// Where a field stands in the user's file. Nothing is kept but the document's text, which is parsed again when somebody asks: a mesh of
// thousands of resources holds no syntax trees.
import { isMap, isScalar, isSeq, type Node } from "yaml";
import { splitPath } from "../field-path.ts";
import type { ParseLimits } from "../limits.ts";
import type { Locate, Position } from "../resource.ts";
import { readDocument, type YamlDocument } from "./read-document.ts";
import type { DocumentText } from "./split-documents.ts";

/** `prefix`: where in the document the resource stands (an item of a List). */
export interface LocateOptions {
  readonly file: string;
  readonly limits: ParseLimits;
  readonly prefix?: readonly (string | number)[];
}

/** Locates in a document that is already parsed. */
export function locateIn(document: YamlDocument, options: LocateOptions): Locate {
  const start = firstContent(document);
  return (path) => ({
    file: options.file,
    ...document.positionOf(offsetOf(document.root, [...(options.prefix ?? []), ...splitPath(path)]) ?? start),
  });
}

/** Locates by parsing the text when asked; the result is kept as long as the engine likes. */
export function createLocate(text: DocumentText, options: LocateOptions): Locate {
  let kept: WeakRef<YamlDocument> | undefined;
  return (path): Position => {
    let document = kept?.deref();
    if (document === undefined) {
      document = readDocument(text, options.limits);
      kept = new WeakRef(document);
    }
    return locateIn(document, options)(path);
  };
}

function firstContent(document: YamlDocument): number {
  return document.root?.range?.[0] ?? 0;
}

/** Offset of a field's key, of a list's item, or of the nearest ancestor that is written down. */
function offsetOf(root: Node | null, segments: readonly (string | number)[]): number | undefined {
  let node: Node | null = root;
  let offset = root?.range?.[0];
  for (const segment of segments) {
    if (isMap(node)) {
      const pair: { key: unknown; value: unknown } | undefined = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(segment),
      );
      if (pair === undefined) return offset;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node) && typeof segment === "number" && segment < node.items.length) {
      node = node.items[segment] as Node | null;
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}
