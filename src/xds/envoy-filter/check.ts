// What is wrong with a patch by itself (Istio pkg/config/validation/envoyfilter reads values the same way, strictly for warnings; the IST
// codes are those of istioctl's analyzer envoyfilter).
import type { ApplyTo, EnvoyPatch, PatchOperation } from "../../model/index.ts";
import { readValue } from "./compile.ts";

export interface PatchProblem {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** Field of the patch: `patch.value`, `applyTo`, `match.context`. */
  readonly field: string;
  readonly message: string;
  readonly fix: string;
}

/** What can be done to each kind of object; every other operation is passed over. */
const OPERATIONS: Readonly<Record<ApplyTo, readonly PatchOperation[]>> = {
  LISTENER: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE"],
  LISTENER_FILTER: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"],
  FILTER_CHAIN: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE"],
  NETWORK_FILTER: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"],
  HTTP_FILTER: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"],
  ROUTE_CONFIGURATION: ["MERGE", "MERGE_AND_REPLACE_LIST"],
  VIRTUAL_HOST: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE"],
  HTTP_ROUTE: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"],
  CLUSTER: ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE"],
  EXTENSION_CONFIG: ["ADD"],
  BOOTSTRAP: ["MERGE", "MERGE_AND_REPLACE_LIST"],
};

const OPERATION_CODES: Readonly<Partial<Record<PatchOperation, string>>> = { REPLACE: "IST0152", ADD: "IST0153", REMOVE: "IST0154" };

export function checkEnvoyPatch(patch: EnvoyPatch): PatchProblem | undefined {
  return checkPlace(patch) ?? checkOperation(patch) ?? checkValue(patch);
}

function checkPlace({ applyTo, context }: EnvoyPatch): PatchProblem | undefined {
  if (applyTo === "BOOTSTRAP") {
    return {
      code: "SERIN0207",
      severity: "warning",
      field: "applyTo",
      message: "BOOTSTRAP patches have no effect: a proxy's bootstrap is made where it is started",
      fix: "Change the bootstrap of the proxy.",
    };
  }
  if (context !== "WAYPOINT") return undefined;
  return {
    code: "SERIN0207",
    severity: "warning",
    field: "match.context",
    message: "there are no waypoints: the patch meets no proxy",
    fix: "Use GATEWAY, SIDECAR_INBOUND or SIDECAR_OUTBOUND.",
  };
}

function checkOperation(patch: EnvoyPatch): PatchProblem | undefined {
  const { applyTo, operation } = patch;
  if (!OPERATIONS[applyTo].includes(operation)) {
    return {
      code: OPERATION_CODES[operation] ?? "SERIN0207",
      severity: "warning",
      field: "patch.operation",
      message: `${operation} has no effect on ${applyTo}`,
      fix: `Use ${OPERATIONS[applyTo].join(", ")}.`,
    };
  }
  const anchor = anchorOf(patch);
  if ((operation !== "REMOVE" && operation !== "REPLACE") || anchor === undefined || anchor.named) return undefined;
  return {
    code: "SERIN0207",
    severity: "warning",
    field: "match",
    message: `${operation} does nothing where the match names no filter`,
    fix: `Add match.${anchor.field}.`,
  };
}

/** The part of a match that picks one filter out of a list. */
function anchorOf({ applyTo, listener }: EnvoyPatch): { readonly field: string; readonly named: boolean } | undefined {
  const chain = listener?.filterChain;
  switch (applyTo) {
    case "LISTENER_FILTER":
      return { field: "listener.listenerFilter", named: (listener?.listenerFilter ?? "") !== "" };
    case "NETWORK_FILTER":
      return { field: "listener.filterChain.filter", named: chain?.filter !== undefined };
    case "HTTP_FILTER":
      return { field: "listener.filterChain.filter.subFilter", named: chain?.subFilter !== undefined };
    default:
      return undefined;
  }
}

function checkValue(patch: EnvoyPatch): PatchProblem | undefined {
  const value = readValue(patch, { lenient: true });
  if (!value.ok) {
    return {
      code: "SERIN0208",
      severity: "error",
      field: "patch.value",
      message: `the value is no such Envoy message, and the patch is left out: ${value.error}`,
      fix: "Correct it; Envoy's v3 API says what can stand there.",
    };
  }
  const strict = readValue(patch, { lenient: false });
  if (strict.ok) return undefined;
  return {
    code: "SERIN0208",
    severity: "warning",
    field: "patch.value",
    message: `a part of the value is not known and left out: ${strict.error}`,
    fix: "Check the spelling; Envoy's v3 API says what can stand there.",
  };
}
