// What a VirtualService refers to (istioctl's analyzers under pkg/config/analysis/analyzers/virtualservice, and what only Serin looks at).
import type { Issue } from "../../kit/index.ts";
import type { Gateway, HttpRoute, MeshSettings, VirtualService, WeightedDestination } from "../../model/index.ts";
import { hostsOverlap } from "../../model/index.ts";
import type { Resource, VirtualServiceSpec } from "../../resources/index.ts";
import { isVisible, MESH_GATEWAY } from "../names.ts";
import { delegateOf, STICKY_SHARES, toVirtualService } from "../virtual-services/to-virtual-service.ts";
import { missesSecondCookie } from "./cookie-regex.ts";
import type { KnownNames } from "./known-names.ts";
import { type Finding, notFound, toIssue } from "./report.ts";
import { findShadowed } from "./shadowing.ts";

export interface VirtualServiceContext {
  readonly settings: MeshSettings;
  readonly names: KnownNames;
  readonly gateways: ReadonlyMap<string, Gateway>;
  /** Delegates by `namespace/name`. */
  readonly delegates: ReadonlyMap<string, VirtualService>;
}

type Report = (finding: Finding) => void;

export function checkVirtualService(resource: Resource<VirtualServiceSpec>, context: VirtualServiceContext): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (finding) => issues.push(toIssue(resource, finding));
  const model = toVirtualService(resource, context.settings);
  checkGateways(model, context, report);
  for (const [index, route] of model.http.entries()) checkHttpRoute(route, { index, model, context, report });
  for (const kind of ["tcp", "tls"] as const) {
    for (const [index, route] of model[kind].entries())
      checkDestinations(route.route, { path: `spec.${kind}[${index}].route`, model, context, report });
  }
  checkShadowing(model, report);
  checkStickyShares(resource, model, report);
  return issues;
}

function checkStickyShares({ metadata }: Resource<VirtualServiceSpec>, model: VirtualService, report: Report): void {
  const value = metadata.annotations[STICKY_SHARES];
  if (value === undefined || value === "false") return;
  if (value !== "true") {
    report({
      code: "SERIN0209",
      severity: "warning",
      message: `${STICKY_SHARES} is "${value}": only "true" has an effect.`,
      fix: `Write "true" (with quotes), or remove the annotation.`,
      path: `metadata.annotations["${STICKY_SHARES}"]`,
    });
    return;
  }
  for (const kind of ["tcp", "tls"] as const) {
    for (const [index, { route }] of model[kind].entries()) {
      if (route.length < 2) continue;
      report({
        code: "SERIN0209",
        severity: "info",
        message: `${STICKY_SHARES} is about HTTP rules: the weights here stay shares of connections.`,
        fix: "Nothing need be done, if that is what is meant.",
        path: `spec.${kind}[${index}].route`,
      });
    }
  }
}

function checkGateways(model: VirtualService, { gateways }: VirtualServiceContext, report: Report): void {
  for (const [index, name] of model.gateways.entries()) {
    if (name === MESH_GATEWAY) continue;
    const path = `spec.gateways[${index}]`;
    const gateway = gateways.get(name);
    if (gateway === undefined) {
      const others = [...gateways.keys()].filter((key) => key.endsWith(`/${name.slice(name.indexOf("/") + 1)}`));
      const fix = others.length > 0 ? `Write ${others.join(" or ")}.` : "Create the Gateway, or correct the name (NAMESPACE/NAME).";
      report(notFound("gateway", name, { path, fix }));
      continue;
    }
    const served = gateway.servers.flatMap((server) =>
      server.hosts.filter((host) => host.namespace === "*" || host.namespace === model.namespace),
    );
    const missing = model.hosts.filter((host) => !served.some((server) => hostsOverlap(server.host, host)));
    if (missing.length > 0) {
      report({
        code: "IST0132",
        severity: "warning",
        message: `one or more host [${missing.join(" ")}] defined in VirtualService ${model.namespace}/${model.name} not found in Gateway ${name}.`,
        fix: `Add the host to a server of Gateway ${name}, or use one of its hosts.`,
        path: "spec.hosts",
      });
    }
  }
}

interface At {
  readonly path: string;
  readonly model: VirtualService;
  readonly context: VirtualServiceContext;
  readonly report: Report;
}

function checkHttpRoute(route: HttpRoute, of: Omit<At, "path"> & { readonly index: number }): void {
  const { index, model, context, report } = of;
  const path = `spec.http[${index}]`;
  checkDestinations(route.route, { ...of, path: `${path}.route` });
  for (const [mirror, { destination }] of route.mirrors.entries()) {
    const written = route.mirrors.length > 1 ? `${path}.mirrors[${mirror}].destination` : `${path}.mirror`;
    checkDestination(destination, { ...of, path: written });
  }
  const reference = delegateOf.get(route);
  if (reference !== undefined) {
    const delegate = context.delegates.get(`${reference.namespace}/${reference.name}`);
    if (delegate === undefined || !isVisible(delegate.exportTo, model.namespace)) {
      report(
        notFound("delegate virtual service", `${reference.namespace}/${reference.name}`, {
          path: `${path}.delegate`,
          fix:
            delegate === undefined ? "Create a VirtualService without hosts of this name." : `Export it to ${model.namespace} (exportTo).`,
        }),
      );
    }
  }
  for (const [at, match] of route.match.entries()) {
    for (const [name, value] of match.headers) {
      if (name.toLowerCase() !== "cookie" || value.kind !== "regex" || !missesSecondCookie(value.value)) continue;
      report({
        code: "SERIN0202",
        severity: "warning",
        message: `The cookie pattern allows no blank after ";": browsers send "a=1; b=2", so it matches only a cookie that comes first.`,
        fix: `Allow an optional blank after the semicolon: "; ?" instead of ";".`,
        path: `${path}.match[${at}].headers.${name}.regex`,
      });
    }
    for (const [gateway, name] of match.scope.gateways.entries()) {
      if (model.gateways.includes(name)) continue;
      report({
        code: "SERIN0203",
        severity: "warning",
        message: `The match names gateway ${name}, to which this VirtualService is not bound: it never holds.`,
        fix: `Add ${name} to spec.gateways, or take it out of the match.`,
        path: `${path}.match[${at}].gateways[${gateway}]`,
      });
    }
  }
}

function checkDestinations(route: readonly WeightedDestination[], at: At): void {
  for (const [index, { destination }] of route.entries())
    checkDestination(destination, { ...at, path: `${at.path}[${index}].destination` });
  const [only] = route;
  if (route.length === 1 && only !== undefined && only.weight !== 0 && only.weight !== 100) {
    at.report({
      code: "SERIN0201",
      severity: "warning",
      message: `Weight ${only.weight} has no effect: the rule has one destination, which gets everything.`,
      fix: "Add the destination that is to get the rest, or remove the weight.",
      path: `${at.path}[0].weight`,
    });
  }
  const seen = new Map<string, number>();
  for (const [index, { destination }] of route.entries()) {
    const key = `${destination.host}|${destination.subset}|${destination.port ?? ""}`;
    const before = seen.get(key);
    seen.set(key, before ?? index);
    if (before === undefined) continue;
    at.report({
      code: "SERIN0206",
      severity: "warning",
      message: `This destination is the same as ${at.path}[${before}]: their weights add up and do not split anything.`,
      fix: "Name another subset or host, or write one destination with the sum.",
      path: `${at.path}[${index}].destination`,
    });
  }
}

function checkDestination(destination: WeightedDestination["destination"], { path, model, context, report }: At): void {
  const { subset, port } = destination;
  const named = context.names.service(destination.host);
  // Another name means what it stands for.
  const alias = named?.resolution === "ALIAS" ? named : undefined;
  const host = alias === undefined ? destination.host : (alias.aliasOf ?? destination.host);
  const service = alias === undefined ? named : context.names.service(alias.aliasOf ?? "");
  if (alias !== undefined && service === undefined) {
    const fix = `${destination.host} is another name of it (ExternalName): create a ServiceEntry for ${host}.`;
    report(notFound("host", host, { path: `${path}.host`, fix }));
    return;
  }
  if (service === undefined || !isVisible(service.exportTo, model.namespace)) {
    const similar = context.names.similarHosts(host);
    const fix =
      service !== undefined
        ? `It exists, but is not exported to ${model.namespace}.`
        : similar.length > 0
          ? `Did you mean ${similar.join(" or ")}?`
          : "Create the Service or ServiceEntry; a host with a dot must be a full name.";
    report(notFound("host", host, { path: `${path}.host`, fix }));
    return;
  }
  if (subset !== "" && !context.names.hasSubset(host, subset)) {
    const known = context.names.subsetsOf(host);
    report(
      notFound("host+subset in destinationrule", `${host}+${subset}`, {
        path: `${path}.subset`,
        fix:
          known.length > 0 ? `Subsets of this host: ${known.join(", ")}.` : `Create a DestinationRule for ${host} with subset ${subset}.`,
      }),
    );
  }
  const numbers = service.ports.map((one) => one.number);
  if (port !== undefined && !numbers.includes(port)) {
    report({
      code: "SERIN0204",
      severity: "warning",
      message: `${host} has no port ${port}: requests get 503.`,
      fix: `Ports of this service: ${numbers.join(", ")} (a destination names the service's port, not the target port).`,
      path: `${path}.port.number`,
    });
  } else if (port === undefined && numbers.length > 1 && !model.gateways.includes(MESH_GATEWAY)) {
    report({
      code: "SERIN0205",
      severity: "warning",
      message: `${host} has ports ${numbers.join(", ")} and the destination names none: requests from a gateway get 503 unless it listens on one of them.`,
      fix: "Write destination.port.number.",
      path: `${path}.host`,
    });
  }
}

function checkShadowing(model: VirtualService, report: Report): void {
  for (const kind of ["tcp", "tls"] as const) {
    const open = model[kind].findIndex((route) => route.match.length === 0);
    for (let rule = open + 1; open !== -1 && rule < model[kind].length; rule += 1) {
      report({
        code: "IST0130",
        severity: "warning",
        message: `VirtualService rule #${rule} not used (rule #${open} takes every connection).`,
        fix: `Move rule #${rule} before rule #${open}, or remove it.`,
        path: `spec.${kind}[${rule}]`,
      });
    }
  }
  const passesOn = (rule: number): boolean => {
    const route = model.http[rule];
    return route !== undefined && delegateOf.has(route);
  };
  for (const { rule, match, by, byCatchAll } of findShadowed(model.http, passesOn)) {
    const earlier = byCatchAll ? `rule #${by} takes every request` : `rule #${by} takes all of these requests`;
    if (match === undefined) {
      report({
        code: "IST0130",
        severity: "warning",
        message: `VirtualService rule #${rule} not used (${earlier}).`,
        fix: `Move rule #${rule} before rule #${by}, or remove it.`,
        path: `spec.http[${rule}]`,
      });
    } else {
      report({
        code: "IST0131",
        severity: "info",
        message: `VirtualService rule #${rule} match #${match} is not used (${by === rule ? "an earlier match of the rule takes all of it" : earlier}).`,
        fix: "Remove the match, or move it forward.",
        path: `spec.http[${rule}].match[${match}]`,
      });
    }
  }
}
