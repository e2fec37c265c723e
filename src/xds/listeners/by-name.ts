// Where requests and connections go to the host that they name themselves.
import { create, type Filter, FilterSchema, packAny, SniDynamicForwardProxySchema } from "../../envoy-api/index.ts";
import type { ConfigView, Service } from "../../model/index.ts";
import { memoByIdentity } from "../../kit/index.ts";
import { dnsCache } from "../dns-cache.ts";
import { isHttpProtocol } from "../protocols.ts";

/** Ports whose routes may lead there; all of them where unknown hosts do. */
const portsByName = memoByIdentity((view: ConfigView): ReadonlySet<number> => {
  const services = view.egress.flatMap((egress) => egress.services.map((one) => one.service));
  const named = services.filter((service) => service.resolution === "DYNAMIC_DNS");
  return new Set(named.flatMap(({ ports }) => ports.filter(({ protocol }) => isHttpProtocol(protocol)).map(({ number }) => number)));
});

/** `port`: of the table; 0 = of all ports. */
export function goesByName(view: ConfigView, port: number): boolean {
  if (view.outboundTrafficPolicy === "ALLOW_ANY_DYNAMIC_DNS") return true;
  const ports = portsByName(view);
  return port === 0 ? ports.size > 0 : ports.has(port);
}

/** Before the TCP proxy: looks up the name in the TLS hello. */
export function buildSniForward(service: Service | undefined, port: number): readonly Filter[] {
  if (service?.resolution !== "DYNAMIC_DNS") return [];
  const config = create(SniDynamicForwardProxySchema, { dnsCacheConfig: dnsCache(), portSpecifier: { case: "portValue", value: port } });
  return [
    create(FilterSchema, {
      name: "envoy.filters.network.sni_dynamic_forward_proxy",
      configType: { case: "typedConfig", value: packAny(SniDynamicForwardProxySchema, config) },
    }),
  ];
}
