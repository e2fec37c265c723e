// Filter chains of one service port on a sidecar: HTTP by route table, TCP by VirtualService or straight to the service, TLS by server name
// (Istio networking/core/tls.go and listener.go buildSidecarOutbound…ListenerOpts).
import type { ConfigView, EgressListenerView, Protocol, ServiceView } from "../../model/index.ts";
import { outboundCluster } from "../../model/index.ts";
import { cidrKey } from "../cidr.ts";
import { isTls } from "../protocols.ts";
import { namesOf } from "../routes/domains.ts";
import { buildSniForward, goesByName } from "./by-name.ts";
import type { ChainPlan } from "./chain.ts";
import { buildHttpManager } from "./http-manager.ts";
import { appliesAtSidecar, planRoute, sharingHost } from "./l4-routes.ts";
import { plainHttp } from "./plain-http.ts";
import { buildTcpProxy } from "./tcp-proxy.ts";

export interface ServicePortUse {
  readonly egress: EgressListenerView;
  readonly service: ServiceView;
  /** The service's own port, or the one that the Sidecar's listener names. */
  readonly port: { readonly number: number; readonly protocol: Protocol };
  /** Ranges of the service, where its address is no single one. */
  readonly ranges: readonly string[];
  /** No address tells the service from others: TLS is told apart by server name. */
  readonly byServerName: boolean;
}

export interface HttpChainOptions {
  readonly routes: string;
  readonly name: string;
  readonly protocol: Protocol;
  /** Only what the inspector took for HTTP. */
  readonly detected: boolean;
  /** The table's port; 0 = of all ports. */
  readonly port: number;
}

export function httpChain(view: ConfigView, options: HttpChainOptions): ChainPlan {
  const manager = buildHttpManager({
    view,
    side: "outbound",
    routes: options.routes,
    statPrefix: `outbound_${options.name}`,
    protocol: options.protocol,
    byName: goesByName(view, options.port),
  });
  return {
    sniHosts: [],
    subnets: [],
    ...(options.detected ? { applicationProtocols: plainHttp(view.mesh), transportProtocol: "raw_buffer" as const } : {}),
    filters: [manager],
    clusters: [],
  };
}

export function l4Chains(view: ConfigView, use: ServicePortUse): readonly ChainPlan[] {
  return isTls(use.port.protocol) ? tlsChains(view, use) : tcpChains(view, use);
}

/** A listener of the Sidecar's on another port means the service's only one. */
function toService(view: ConfigView, { service, port, ranges }: ServicePortUse, sniHosts: readonly string[]): ChainPlan {
  const usable = service.service.ports.filter((one) => service.ports === undefined || service.ports.includes(one.number));
  const number = usable.length === 1 ? (usable[0]?.number ?? port.number) : port.number;
  const cluster = outboundCluster(service.service.hostname, number);
  const settings = service.destinationRule?.streamSettings("");
  const filter = buildTcpProxy({ view, statPrefix: cluster, targets: [{ cluster, weight: 1 }], settings });
  return { sniHosts, subnets: ranges, filters: [...buildSniForward(service.service, number), filter], clusters: [cluster] };
}

/** Of aliases the short forms too. */
function serverNames(view: ConfigView, { service }: ServiceView): readonly string[] {
  const options = { scope: view.scope, domain: view.mesh.domain, known: new Set<string>() };
  return [...new Set([service.hostname, ...(service.aliases ?? []).flatMap((alias) => namesOf(alias, options))])];
}

const sameRanges = (a: readonly string[], b: readonly string[]): boolean => a.map(cidrKey).sort().join() === b.map(cidrKey).sort().join();

/** Rules in order up to the first without destination subnets; without one, the service itself is the last. */
function tcpChains(view: ConfigView, use: ServicePortUse): readonly ChainPlan[] {
  const chains: ChainPlan[] = [];
  const { port, ranges } = use;
  let covered = false;
  for (const { tcp } of sharingHost(use.service.service.hostname, use.egress.virtualServices)) {
    for (const rule of tcp) {
      const applying = rule.match.filter((match) => appliesAtSidecar(match.scope, view.scope, port.number));
      const last = rule.match.length === 0 || applying.some((match) => match.destinationSubnets.length === 0 || port.number === 0);
      if (last) return [...chains, { ...planRoute(view, port.number, rule.route), subnets: ranges }];
      const subnets = applying.flatMap((match) => match.destinationSubnets);
      if (subnets.length === 0) continue;
      chains.push({ ...planRoute(view, port.number, rule.route), subnets });
      covered ||= sameRanges(subnets, ranges);
    }
  }
  return covered ? chains : [...chains, toService(view, use, [])];
}

/** Of rules that ask for the same server names and subnets, the first counts. Where no rule applies the service is known by its own name. */
function tlsChains(view: ConfigView, use: ServicePortUse): readonly ChainPlan[] {
  const chains: ChainPlan[] = [];
  const seen = new Set<string>();
  const { port, service } = use;
  // As in Istio, the subnets of one match stay for those after it.
  let subnets = use.ranges;
  for (const { tls } of sharingHost(service.service.hostname, use.egress.virtualServices)) {
    for (const rule of tls) {
      for (const match of rule.match) {
        if (!appliesAtSidecar(match.scope, view.scope, port.number)) continue;
        if (match.destinationSubnets.length > 0 && port.number > 0) subnets = match.destinationSubnets;
        const key = `${match.sniHosts.join()}|${match.destinationSubnets.join()}`;
        if (seen.has(key)) continue;
        seen.add(key);
        chains.push({ ...planRoute(view, port.number, rule.route), sniHosts: match.sniHosts, subnets });
      }
    }
  }
  return chains.length > 0
    ? chains
    : [toService(view, use, use.byServerName || service.service.resolution === "DYNAMIC_DNS" ? serverNames(view, service) : [])];
}
