// Addresses of the pods behind services that have none of their own: each pod has listeners of its own for ports that are not HTTP, since
// nothing but its address tells it from others (Istio networking/core/listener.go, headless services and StatefulSets).
import { isIP } from "node:net";
import { memoByIdentity } from "../../kit/index.ts";
import type { ConfigView, EndpointIndex, Service, ServiceEndpoints } from "../../model/index.ts";
import { partsOf, serviceKey } from "../../model/index.ts";
import { isDetected, isTcp } from "../protocols.ts";

export interface PodAddresses {
  /** undefined = the service has a listener for any address. */
  of(service: Service, port: number): readonly string[] | undefined;
}

export const NO_PODS: PodAddresses = Object.freeze({ of: () => undefined });

function isHeadless(service: Service): boolean {
  return service.resolution === "NONE" && partsOf(service).every((part) => part.addresses.length === 0);
}

/** Services of a view whose listeners depend on their endpoints. */
const headlessOf = memoByIdentity((config: ConfigView): readonly Service[] => {
  const services = new Set(config.egress.flatMap((egress) => egress.services.map((view) => view.service)));
  return [...services].filter((one) => isHeadless(one) && one.ports.some(({ protocol }) => isTcp(protocol) || isDetected(protocol)));
});

/** Which addresses there are, and nothing else of the endpoints. */
const addressesByPort = memoByIdentity((endpoints: ServiceEndpoints): ReadonlyMap<number, readonly string[]> => {
  const all = [...endpoints.byPort].map(
    ([port, list]) => [port, [...new Set(list.map(({ address }) => address).filter((address) => isIP(address) !== 0))].sort()] as const,
  );
  return new Map(all);
});

const lasts = new WeakMap<ConfigView, { readonly key: string; readonly pods: PodAddresses }>();

/** The same object while the addresses are the same. */
export function podsOf(config: ConfigView, endpoints: EndpointIndex): PodAddresses {
  const services = headlessOf(config);
  if (services.length === 0) return NO_PODS;
  const found = new Map<Service, ReadonlyMap<number, readonly string[]>>();
  for (const service of services) {
    const behind = endpoints.get(serviceKey(service));
    if (behind !== undefined) found.set(service, addressesByPort(behind));
  }
  const key = JSON.stringify(services.map((service) => [...(found.get(service) ?? [])]));
  const last = lasts.get(config);
  if (last?.key === key) return last.pods;
  const pods: PodAddresses = {
    of(service, port) {
      if (!isHeadless(service)) return undefined;
      const addresses = found.get(service)?.get(port) ?? [];
      // What nobody selects for has no pods to come: it stands for any address.
      const lasting = service.registry === "Kubernetes" || service.selector !== undefined;
      return addresses.length === 0 && !lasting ? undefined : addresses;
    },
  };
  lasts.set(config, { key, pods });
  return pods;
}
