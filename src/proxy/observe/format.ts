// Envoy's formats with `%…%` operators, compiled once to closures: access logs and header values share them.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
import { err, ok, type Result } from "../../kit/index.ts";
import { compileOperator, limited } from "./operators.ts";
import type { StreamInfo } from "./stream-info.ts";

/** A string, a number, or undefined where there is nothing to say. */
export type Operator = (info: StreamInfo) => string | number | undefined;

export interface Format {
  /** The text, `missing` standing for what is not there. */
  render(info: StreamInfo, missing: string): string;
  /** The only operator when the format is nothing else: JSON logs keep its type. */
  readonly single: Operator | undefined;
}

const OPERATOR = /%(?:%|([A-Z0-9_]+)(?:\(([^)]*)\))?(?::(\d+))?%)/y;

/** Compiles a format, or names the operator that is not known. */
export function compileFormat(source: string): Result<Format> {
  const parts: (string | Operator)[] = [];
  let literal = "";
  let at = 0;
  while (at < source.length) {
    const percent = source.indexOf("%", at);
    if (percent < 0) {
      literal += source.slice(at);
      break;
    }
    literal += source.slice(at, percent);
    OPERATOR.lastIndex = percent;
    const match = OPERATOR.exec(source);
    if (match === null) return err(`incomplete operator at "${source.slice(percent, percent + 40)}"`);
    at = OPERATOR.lastIndex;
    const [, name, argument, limit] = match;
    if (name === undefined) {
      literal += "%";
      continue;
    }
    const made = compileOperator(name, argument);
    if (!made.ok) return made;
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push(limit === undefined ? made.value : limited(made.value, Number(limit)));
  }
  if (literal !== "") parts.push(literal);
  const only = parts.length === 1 ? parts[0] : undefined;
  return ok({ render: (info, missing) => render(parts, info, missing), single: typeof only === "function" ? only : undefined });
}

function render(parts: readonly (string | Operator)[], info: StreamInfo, missing: string): string {
  let out = "";
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string | Operator;
    if (typeof part === "string") out += part;
    else {
      const value = part(info);
      out += value === undefined ? missing : value;
    }
  }
  return out;
}
