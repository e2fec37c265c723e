// EnvoyFilter patches that real Envoy takes and Serin's own proxy refuses: said in advance, since what they make of a resource is refused whole.
import type { EnvoyPatch } from "../model/index.ts";
import { unsupportedIn } from "../proxy/matcher.ts";
import { checkEnvoyPatch, patchedMessage } from "../xds/index.ts";

type Problem = NonNullable<ReturnType<typeof checkEnvoyPatch>>;

export function checkPatch(patch: EnvoyPatch): Problem | undefined {
  return checkEnvoyPatch(patch) ?? checkForOwnProxy(patch);
}

function checkForOwnProxy({ applyTo, operation, value }: EnvoyPatch): Problem | undefined {
  const message = operation === "REMOVE" ? undefined : patchedMessage(applyTo);
  const found = message === undefined ? undefined : unsupportedIn(message, value);
  if (found === undefined) return undefined;
  return {
    code: "SERIN0210",
    severity: "warning",
    field: "patch.value",
    message: `Serin's own proxy refuses what this patch makes: ${found}`,
    fix: "Run the workloads it is meant for with real Envoy, or leave it out.",
  };
}
