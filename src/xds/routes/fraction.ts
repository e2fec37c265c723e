// Percentages as Envoy's fractions: in millionths, so that Istio's smallest share (0.0001 %) survives.
import { create, type FractionalPercent, FractionalPercent_DenominatorType, FractionalPercentSchema } from "../../envoy-api/index.ts";

/** 0–100; what is finer than a millionth is cut off, as in Istio. */
export function fractionOf(percentage: number): FractionalPercent {
  return create(FractionalPercentSchema, {
    numerator: Math.trunc(percentage * 10_000),
    denominator: FractionalPercent_DenominatorType.MILLION,
  });
}
