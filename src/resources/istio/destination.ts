// Destination (host, subset, port) and the lists of weighted destinations of HTTP, TLS and TCP routes.
import { must, port, subsetName } from "../checks/fields.ts";
import { wildcardDomainProblem } from "../checks/names.ts";
import type { Check } from "../schema/schema.ts";
import { int32, list, obj, type ObjectSchema, req, type Schema, str } from "../schema/schema.ts";

function hostProblem(host: string): string | undefined {
  return host === "*" ? "a destination cannot be `*`" : wildcardDomainProblem(host);
}

export const destination: ObjectSchema = obj({
  host: req(str({ check: must(hostProblem, "Write the name of a service.") })),
  subset: subsetName,
  port: obj({ number: req(port) }),
});

const weight = int32({
  check: must((value: number) => (value < 0 ? `a weight is 0 or more, but this is ${value}` : undefined), "Write 0 to send nothing there."),
});

const checkWeights: Check<readonly unknown[]> = (routes, path, report) => {
  const weights = routes.map((route) => (route as { readonly weight?: number } | undefined)?.weight ?? 0);
  if (weights.length > 1 && weights.every((entry) => entry === 0)) {
    report.error(path, "the weights of all destinations are 0, so nothing could be chosen", "Give at least one destination a weight.");
  }
};

/** `extra`: what a weighted destination has beside destination and weight. */
export function weightedDestinations(extra: Readonly<Record<string, Schema>> = {}): Schema {
  return list(obj({ destination: req(destination), weight, ...extra }), { check: checkWeights });
}
