// Where a call enters the proxy: which listener takes it, and where the connection was going. A sidecar's caller uses its explicit HTTP
// proxy when there is one, else its connection is captured (Istio's `IP_PORT`, `0.0.0.0_PORT`, then the catch-all listener); a gateway
// is called on the port that its Gateway names.
import { isIP } from "node:net";
import type { ConfigView } from "../../model/index.ts";
import type { Listener, RuntimeConfig } from "../../proxy/config/index.ts";
import type { CurlRequest } from "./curl-args.ts";
import type { Arrival } from "./explain.ts";

export interface ArrivalOptions {
  readonly view: ConfigView;
  readonly config: RuntimeConfig;
  /** Straight at this port of the proxy. */
  readonly port: number | undefined;
}

/** The arrival, or why there is none. */
export function chooseArrival(request: CurlRequest, options: ArrivalOptions): Arrival | string {
  const { view, config, port } = options;
  const listeners = [...config.listeners.values()];
  if (port !== undefined) {
    const listener = listeners.find((one) => one.bindToPort && one.address.port === port);
    return listener === undefined
      ? `no listener is on port ${port}: the connection is refused`
      : { listener, destination: undefined, absolute: isHttpProxy(listener), why: `port ${port} is listener ${listener.name}` };
  }
  return view.scope.type === "router" ? atGateway(request, view, listeners) : atSidecar(request, view, listeners);
}

function atGateway(request: CurlRequest, view: ConfigView, listeners: readonly Listener[]): Arrival | string {
  // The Gateway's port, then the port it is served on (80 may be 8080 behind the gateway's Service).
  const served =
    view.gateways.find((gateway) => gateway.servers.some(({ server }) => server.port.number === request.port)) ??
    view.gateways.find((gateway) => gateway.port === request.port);
  const listener = served === undefined ? undefined : listeners.find((one) => one.address.port === served.port);
  if (served === undefined || listener === undefined) {
    const ports = [...new Set(view.gateways.flatMap((gateway) => gateway.servers.map(({ server }) => server.port.number)))];
    return `no Gateway serves port ${request.port} here${ports.length === 0 ? "" : ` (served: ${ports.join(", ")})`}: the connection is refused`;
  }
  const shifted = served.port === request.port ? "" : `, which the gateway serves on ${served.port}`;
  return { listener, destination: undefined, absolute: false, why: `port ${request.port}${shifted} is listener ${listener.name}` };
}

function atSidecar(request: CurlRequest, view: ConfigView, listeners: readonly Listener[]): Arrival | string {
  if (request.scheme === "http") {
    const proxy = listeners.find(isHttpProxy);
    if (proxy !== undefined)
      return { listener: proxy, destination: undefined, absolute: true, why: `the sidecar's HTTP proxy is listener ${proxy.name}` };
  }
  const addresses = isIP(request.host) === 0 ? addressesOf(request.host, view) : [request.host];
  const outbound = listeners.filter((one) => one.direction !== "INBOUND");
  for (const address of addresses) {
    const listener = outbound.find((one) => one.address.host === address && one.address.port === request.port);
    if (listener !== undefined) {
      return {
        listener,
        destination: { address, port: request.port },
        absolute: false,
        why: `${request.host} is ${address}; port ${request.port} of it is listener ${listener.name}`,
      };
    }
  }
  const [address = "240.240.0.1"] = addresses;
  const any = outbound.find(
    (one) =>
      (one.address.host === "0.0.0.0" || one.address.host === view.scope.bindAddress) &&
      one.address.port === request.port &&
      !one.useOriginalDst &&
      !isHttpProxy(one),
  );
  if (any !== undefined)
    return {
      listener: any,
      destination: { address, port: request.port },
      absolute: false,
      why: `port ${request.port} is listener ${any.name}`,
    };
  const catchAll = outbound.find((one) => one.useOriginalDst);
  if (catchAll === undefined) return `no listener takes port ${request.port}, and nothing is captured: the call does not pass the sidecar`;
  return {
    listener: catchAll,
    destination: { address, port: request.port },
    absolute: false,
    why: `no listener is for port ${request.port}: the catch-all ${catchAll.name} takes it`,
  };
}

function isHttpProxy(listener: Listener): boolean {
  const chains = [...listener.filterChains, ...(listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain])];
  return chains.some(({ network }) => network.kind === "http" && network.routes.kind === "rds" && network.routes.name === "http_proxy");
}

/** The VIPs of the service that the name means for this caller, as its DNS would find it. */
function addressesOf(host: string, view: ConfigView): readonly string[] {
  const { namespace } = view.scope;
  const domain = view.mesh.domain;
  const names = [host, `${host}.${namespace}.svc.${domain}`, `${host}.svc.${domain}`, `${host}.${domain}`];
  for (const name of names) {
    const found = view.servicesByHost.get(name);
    if (found !== undefined) return found.service.addresses.filter((address) => isIP(address) !== 0);
  }
  return [];
}
