// What one input may cost at most: hostile or broken YAML is refused before it is built into values.
export interface ParseLimits {
  /** UTF-16 units of one document. */
  readonly documentLength: number;
  readonly documentsPerFile: number;
  /** Nesting of mappings and sequences. */
  readonly depth: number;
  /** Aliases (`*name`) in one document. */
  readonly aliases: number;
  /** Values in one document, with aliases written out. */
  readonly nodes: number;
  /** Issues reported for one document; then one more says that there are others. */
  readonly issues: number;
}

export const DEFAULT_LIMITS: ParseLimits = Object.freeze({
  documentLength: 1024 * 1024,
  documentsPerFile: 1000,
  depth: 100,
  aliases: 100,
  nodes: 100_000,
  issues: 100,
});

/** Keys that reach into an object's prototype where code is careless. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);
