// EnvoyFilter (https://istio.io/latest/docs/reference/config/networking/envoy-filter/, istio ValidateEnvoyFilter).
import { port } from "../checks/fields.ts";
import { checkRegex } from "../checks/regex.ts";
import { extendPath, joinPath } from "../field-path.ts";
import type { Report } from "../report.ts";
import { any, enumOf, int32, list, map, obj, type Rule, str, uint32 } from "../schema/schema.ts";
import { labelsSelector, oneSelector, targetRefs } from "./selectors.ts";

const APPLY_TO = [
  "INVALID", "LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE", "CLUSTER",
  "EXTENSION_CONFIG", "BOOTSTRAP", "LISTENER_FILTER",
]; // prettier-ignore

interface PatchSpec {
  readonly applyTo?: string;
  readonly match?: {
    readonly proxy?: { readonly proxyVersion?: string };
    readonly listener?: {
      readonly filterChain?: { readonly filter?: { readonly name?: string; readonly subFilter?: { readonly name?: string } } };
    };
    readonly routeConfiguration?: unknown;
    readonly cluster?: unknown;
    readonly waypoint?: unknown;
  };
  readonly patch?: { readonly operation?: string; readonly value?: unknown };
}

const filter = obj({ name: str(), subFilter: obj({ name: str() }) });

const waypointRule: Rule = {
  message: "waypoint matches belong to context WAYPOINT",
  test: (self) => (self["context"] === "WAYPOINT") === (self["waypoint"] !== undefined),
  field: "waypoint",
};

const match = obj(
  {
    context: enumOf(["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"]),
    proxy: obj({ proxyVersion: str(), metadata: map(str()) }),
    listener: obj({
      portNumber: uint32(),
      portName: str(),
      name: str(),
      listenerFilter: str(),
      filterChain: obj({
        name: str(),
        sni: str(),
        transportProtocol: str(),
        applicationProtocols: str(),
        destinationPort: uint32(),
        filter,
      }),
    }),
    routeConfiguration: obj({
      portNumber: uint32(),
      portName: str(),
      gateway: str(),
      name: str(),
      vhost: obj({
        name: str(),
        domainName: str(),
        route: obj({ name: str(), action: enumOf(["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"]) }),
      }),
    }),
    cluster: obj({ portNumber: uint32(), service: str(), subset: str(), name: str() }),
    waypoint: obj({ portNumber: port, filter, route: obj({ name: str() }) }),
  },
  { oneOf: [["listener", "routeConfiguration", "cluster", "waypoint"]], rules: [waypointRule] },
);

const patch = obj({
  operation: enumOf([
    "INVALID",
    "MERGE",
    "ADD",
    "REMOVE",
    "INSERT_BEFORE",
    "INSERT_AFTER",
    "INSERT_FIRST",
    "REPLACE",
    "MERGE_AND_REPLACE_LIST",
  ]),
  value: any(),
  filterClass: enumOf(["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]),
});

export const envoyFilterSchema = obj(
  {
    workloadSelector: labelsSelector,
    targetRefs,
    configPatches: list(obj<PatchSpec>({ applyTo: enumOf(APPLY_TO), match, patch }, { check: checkPatch })),
    priority: int32(),
  },
  { rules: [oneSelector(["workloadSelector", "targetRefs"])] },
);

const MATCH_OF: Readonly<Record<string, "listener" | "routeConfiguration" | "cluster">> = {
  LISTENER: "listener",
  FILTER_CHAIN: "listener",
  NETWORK_FILTER: "listener",
  HTTP_FILTER: "listener",
  ROUTE_CONFIGURATION: "routeConfiguration",
  VIRTUAL_HOST: "routeConfiguration",
  HTTP_ROUTE: "routeConfiguration",
  CLUSTER: "cluster",
};

function checkPatch(value: PatchSpec, path: string, report: Report): void {
  const { applyTo = "INVALID" } = value;
  if (applyTo === "INVALID") return report.error(joinPath(path, "applyTo"), "applyTo is required", "Say what the patch applies to.");
  const operation = value.patch?.operation ?? "INVALID";
  if (value.patch === undefined || operation === "INVALID")
    return report.error(joinPath(path, "patch"), "a patch has an operation", "Add patch.operation.");
  if (operation !== "REMOVE" && value.patch.value === undefined)
    return report.error(joinPath(path, "patch"), `${operation} needs a value`, "Add patch.value.");
  const version = value.match?.proxy?.proxyVersion ?? "";
  if (version !== "") checkRegex(version, extendPath(path, "match", "proxy", "proxyVersion"), report);
  const wanted = MATCH_OF[applyTo];
  const found = (["listener", "routeConfiguration", "cluster", "waypoint"] as const).find((name) => value.match?.[name] !== undefined);
  if (wanted !== undefined && found !== undefined && found !== wanted && found !== "waypoint") {
    return report.error(
      extendPath(path, "match", found),
      `applyTo ${applyTo} matches by ${wanted}, not by ${found}`,
      `Use match.${wanted}.`,
    );
  }
  checkFilter(value, path, report);
}

function checkFilter(value: PatchSpec, path: string, report: Report): void {
  const filterMatch = value.match?.listener?.filterChain?.filter;
  if (filterMatch === undefined) return;
  const at = extendPath(path, "match", "listener", "filterChain", "filter");
  if ((filterMatch.name ?? "") === "") return report.error(at, "a filter match has a name", "Add filter.name.");
  if (filterMatch.subFilter === undefined) return;
  if (value.applyTo !== "HTTP_FILTER")
    return report.error(joinPath(at, "subFilter"), "subFilter is for applyTo HTTP_FILTER only", "Remove it.");
  if (filterMatch.name !== "envoy.filters.network.http_connection_manager" && filterMatch.name !== "envoy.http_connection_manager") {
    return report.error(
      joinPath(at, "name"),
      "subFilter needs the filter envoy.filters.network.http_connection_manager",
      "Write that name.",
    );
  }
  if ((filterMatch.subFilter.name ?? "") === "") report.error(joinPath(at, "subFilter"), "a subFilter has a name", "Add subFilter.name.");
}
