// The Gateways that apply to one router proxy, with the VirtualServices bound to each server.
import type { Gateway, GatewayListenerView, GatewayServerView, ProxyScope, Service } from "../../model/index.ts";
import { selects } from "../names.ts";
import type { VirtualServiceIndex } from "../virtual-services/virtual-service-index.ts";
import { mergeServers } from "./merge-servers.ts";

/** A Service may opt out of the translation of Gateway ports to its target ports. */
const NO_TRANSLATION = "experimental.istio.io/disable-gateway-port-translation";

export function gatewaysOf(gateways: readonly Gateway[], labels: Readonly<Record<string, string>>): readonly Gateway[] {
  return gateways.filter((gateway) => selects(gateway.selector, labels));
}

/** A Gateway names the port of the gateway's Service; the proxy listens on the target port. `services`: those that select the proxy. */
export function gatewayPort(services: readonly Service[], port: number): number {
  for (const service of services) {
    if (Object.hasOwn(service.labels, NO_TRANSLATION)) continue;
    const found = service.ports.find((servicePort) => servicePort.number === port);
    if (found?.targetPort !== undefined) return found.targetPort;
  }
  return port;
}

export interface GatewayContext {
  /** Oldest first. */
  readonly gateways: readonly Gateway[];
  readonly services: readonly Service[];
  readonly virtualServices: VirtualServiceIndex;
}

export function toGatewayViews(scope: ProxyScope, context: GatewayContext): readonly GatewayListenerView[] {
  const { listeners } = mergeServers(gatewaysOf(context.gateways, scope.labels), (port) => gatewayPort(context.services, port));
  return listeners.map((listener) => ({
    port: listener.port,
    bind: listener.bind,
    servers: listener.servers.map(({ server, routeName }): GatewayServerView => ({
      server,
      routeName,
      virtualServices: context.virtualServices.forGateway(scope.namespace, `${server.gateway.namespace}/${server.gateway.name}`),
    })),
  }));
}
