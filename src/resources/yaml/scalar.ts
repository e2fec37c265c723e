// Plain scalars as kubectl and istiod read them (sigs.k8s.io/yaml: YAML 1.1 rules, then JSON): `yes` is true, `017` is 15. Everything
// quoted is text. A field that wants text then says so where the user meant text.
const NULLS = new Set(["", "~", "null", "Null", "NULL"]);
const TRUES = new Set(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"]);
const FALSES = new Set(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"]);

export type ScalarValue = string | number | boolean | null;

export function parsePlainScalar(source: string): ScalarValue {
  if (NULLS.has(source)) return null;
  if (TRUES.has(source)) return true;
  if (FALSES.has(source)) return false;
  if (/^[-+]?0[0-7]+$/.test(source)) return Number.parseInt(source.replace(/^([-+]?)0+(?=\d)/, "$1"), 8);
  if (/^[-+]?0o[0-7]+$/.test(source)) return Number.parseInt(source.replace("0o", ""), 8);
  if (/^[-+]?0x[0-9a-fA-F]+$/.test(source)) return Number.parseInt(source, 16);
  if (/^[-+]?0b[01]+$/.test(source)) return Number.parseInt(source.replace("0b", ""), 2);
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(source)) return Number(source);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(source)) return source.startsWith("-") ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(source)) return NaN;
  return source;
}

const TAG = "tag:yaml.org,2002:";
export const KNOWN_TAGS: ReadonlySet<string> = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => TAG + name));

/** The value under an explicit core tag; undefined when the text does not fit it. */
export function parseTaggedScalar(tag: string, source: string): ScalarValue | undefined {
  if (tag === `${TAG}str`) return source;
  const value = parsePlainScalar(source);
  if (tag === `${TAG}null`) return value === null ? null : undefined;
  if (tag === `${TAG}bool`) return typeof value === "boolean" ? value : undefined;
  if (tag === `${TAG}int`) return Number.isInteger(value) ? value : undefined;
  if (tag === `${TAG}float`) return typeof value === "number" ? value : undefined;
  return undefined;
}
