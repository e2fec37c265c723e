// Envoy's FractionalPercent, on its own and as a runtime fraction's default (runtime keys have no effect here).
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/v3/percent.proto
import type { Reader } from "../../wire/reader.ts";

/** A share of numerator / denominator. */
export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

const DENOMINATORS: Readonly<Record<string, number>> = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 };

export function decodeFraction(reader: Reader | undefined): Fraction {
  const denominator = DENOMINATORS[reader?.choice("denominator", "HUNDRED") ?? "HUNDRED"] ?? 100;
  return { numerator: Math.min(denominator, reader?.number("numerator", 0) ?? 0), denominator };
}

/** In [0, 1]; undefined = none is given. */
export function decodeRuntimeFraction(reader: Reader | undefined): number | undefined {
  const percent = reader?.message("default_value");
  if (percent === undefined) return undefined;
  const { numerator, denominator } = decodeFraction(percent);
  return numerator / denominator;
}
