// Fields of Kubernetes' own kinds that Serin knows and does not use: they pass, are kept, and are named once per resource.
import { any, type Schema } from "../schema/schema.ts";

const marked = new WeakSet<Schema>();

/** Fields of any shape without effect here. */
export function ignored(...names: readonly string[]): Record<string, Schema> {
  return Object.fromEntries(
    names.map((name) => {
      const schema = any();
      marked.add(schema);
      return [name, schema];
    }),
  );
}

export function isIgnored(schema: Schema): boolean {
  return marked.has(schema);
}
