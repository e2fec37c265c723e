// What a VirtualService must be beyond its structure (istio ValidateVirtualService): hosts, kinds of action, delegates, SNI hosts.
import { isClaimName } from "../checks/headers.ts";
import { hostIsWithin, hostsOverlap, isIpAddress, wildcardDomainProblem } from "../checks/names.ts";
import { extendPath, joinPath, pathOf } from "../field-path.ts";
import type { ResourceCheck } from "../kind.ts";
import type { Report } from "../report.ts";
import { checkExportTo } from "./export-to.ts";
import { reportUnusedRules } from "./unused-rules.ts";

interface HttpSpec {
  readonly name?: string;
  readonly match?: readonly ({ readonly headers?: object; readonly withoutHeaders?: object } | null)[];
  readonly route?: readonly unknown[];
  readonly redirect?: unknown;
  readonly directResponse?: unknown;
  readonly delegate?: { readonly name?: string };
  readonly fault?: unknown;
  readonly rewrite?: unknown;
}

interface L4Spec {
  readonly match?: readonly { readonly sniHosts?: readonly string[] }[];
  readonly route?: readonly unknown[];
}

export interface VirtualServiceShape {
  readonly hosts?: readonly string[];
  readonly gateways?: readonly string[];
  readonly http?: readonly HttpSpec[];
  readonly tls?: readonly L4Spec[];
  readonly tcp?: readonly L4Spec[];
  readonly exportTo?: readonly string[];
}

export const checkVirtualService: ResourceCheck<VirtualServiceShape> = (spec, { metadata, report }) => {
  const isDelegate = (spec.hosts ?? []).length === 0;
  const gateways = spec.gateways ?? [];
  const onGatewayOnly = gateways.length > 0 && !gateways.includes("mesh");
  if (isDelegate) checkDelegate(spec, report);
  else checkHosts(spec.hosts ?? [], { onGatewayOnly, sni: hasSniHosts(spec), report });
  if ((spec.http ?? []).length + (spec.tls ?? []).length + (spec.tcp ?? []).length === 0) {
    report.error("spec", "a VirtualService has http, tls or tcp rules", "Add a rule.");
  }
  for (const [index, route] of (spec.http ?? []).entries()) {
    const path = pathOf("spec", "http", index);
    checkActions(route, { path, isDelegate, report });
    if (!onGatewayOnly) checkClaims(route, path, report);
  }
  for (const [index, route] of (spec.tls ?? []).entries())
    checkTlsRoute(route, { path: pathOf("spec", "tls", index), hosts: spec.hosts ?? [], report });
  for (const [index, route] of (spec.tcp ?? []).entries()) {
    if ((route.route ?? []).length === 0) report.error(pathOf("spec", "tcp", index), "a tcp rule has a route", "Add a destination.");
  }
  checkExportTo(spec.exportTo, { namespace: metadata.namespace }, { path: "spec.exportTo", report });
  if (!report.failed()) reportUnusedRules(spec, report);
};

function hasSniHosts(spec: VirtualServiceShape): boolean {
  return (spec.tls ?? []).some((route) => (route.match ?? []).some((match) => (match.sniHosts ?? []).length > 0));
}

function checkDelegate(spec: VirtualServiceShape, report: Report): void {
  for (const field of ["gateways", "tls", "tcp"] as const) {
    if ((spec[field] ?? []).length > 0) {
      report.error(
        joinPath("spec", field),
        `a VirtualService without hosts is a delegate, and a delegate has no ${field}`,
        `Add hosts, or remove ${field}.`,
      );
    }
  }
}

function checkHosts(
  hosts: readonly string[],
  options: { readonly onGatewayOnly: boolean; readonly sni: boolean; readonly report: Report },
): void {
  const { report } = options;
  let valid = true;
  for (const [index, host] of hosts.entries()) {
    const path = pathOf("spec", "hosts", index);
    const message = hostProblem(host, options.onGatewayOnly && options.sni);
    if (message !== undefined) {
      report.error(path, message, "Write the name of a service or a DNS name.");
      valid = false;
    } else if (host === "*" && !options.onGatewayOnly) {
      report.error(path, "the host * is not allowed on the mesh, only on gateways", "Name the hosts, or bind it to a gateway.");
      valid = false;
    }
  }
  if (!valid) return;
  for (const [index, host] of hosts.entries()) {
    const twin = hosts.slice(0, index).find((earlier) => hostsOverlap(earlier, host));
    if (twin !== undefined)
      report.error(pathOf("spec", "hosts", index), `the host ${host} is already covered by ${twin}`, "Remove one of the two.");
  }
}

function hostProblem(host: string, generated: boolean): string | undefined {
  // Names that Istio itself makes for TLS between gateways: outbound_.80_._.e2e.foobar.mesh
  if (generated && /^outbound_\.\d+_\.[^.]*_?\.[^.]+/.test(host)) return undefined;
  const message = wildcardDomainProblem(host);
  return message !== undefined && isIpAddress(host) ? undefined : message;
}

function checkActions(route: HttpSpec, at: { readonly path: string; readonly isDelegate: boolean; readonly report: Report }): void {
  const { path, report } = at;
  const routes = (route.route ?? []).length > 0;
  const clash = (a: string, b: string): void =>
    report.error(joinPath(path, b), `a rule cannot have both ${a} and ${b}`, `Remove ${a} or ${b}.`);
  if (route.delegate !== undefined) {
    if (at.isDelegate) report.error(joinPath(path, "delegate"), "a delegate cannot delegate again", "Write its rules here.");
    if (route.redirect !== undefined) clash("delegate", "redirect");
    if (route.route !== undefined) clash("delegate", "route");
    if (route.directResponse !== undefined)
      report.warning(joinPath(path, "directResponse"), "directResponse does nothing beside delegate", "Remove it.");
    return;
  }
  for (const action of ["redirect", "directResponse"] as const) {
    if (route[action] === undefined) continue;
    if (routes) clash(action, "route");
    if (route.fault !== undefined) clash(action, "fault");
    if (route.rewrite !== undefined) clash(action, "rewrite");
  }
  if (route.redirect !== undefined && route.directResponse !== undefined) clash("redirect", "directResponse");
  if (!routes && route.redirect === undefined && route.directResponse === undefined) {
    report.error(path, "a rule has route, redirect, directResponse or delegate", "Say what happens to the requests.");
  }
}

function checkClaims(route: HttpSpec, path: string, report: Report): void {
  for (const [index, match] of (route.match ?? []).entries()) {
    for (const field of ["headers", "withoutHeaders"] as const) {
      for (const name of Object.keys(match?.[field] ?? {})) {
        if (isClaimName(name))
          report.error(
            extendPath(path, "match", index, field, name),
            "rules by token claims work on gateways only",
            "Bind the VirtualService to gateways without mesh.",
          );
      }
    }
  }
}

function checkTlsRoute(route: L4Spec, at: { readonly path: string; readonly hosts: readonly string[]; readonly report: Report }): void {
  const { report } = at;
  if ((route.route ?? []).length === 0) report.error(at.path, "a tls rule has a route", "Add a destination.");
  if ((route.match ?? []).length === 0) report.error(at.path, "a tls rule has a match", "Add one with the SNI hosts it is for.");
  for (const [index, match] of (route.match ?? []).entries()) {
    const path = extendPath(at.path, "match", index, "sniHosts");
    if ((match.sniHosts ?? []).length === 0)
      report.error(path, "a tls match has at least one SNI host", "Write the names that clients ask for.");
    for (const [position, host] of (match.sniHosts ?? []).entries()) {
      const place = joinPath(path, position);
      if (isIpAddress(host)) report.warning(place, "clients send no SNI for an IP address", "Use a DNS name.");
      else if (hostProblem(host, true) !== undefined) report.error(place, hostProblem(host, true) ?? "", "Write a DNS name.");
      else if (!at.hosts.some((outer) => hostIsWithin(host, outer))) {
        report.error(place, `the SNI host ${host} is not among the hosts ${at.hosts.join(", ")}`, "Add it to hosts, or remove it here.");
      }
    }
  }
}
