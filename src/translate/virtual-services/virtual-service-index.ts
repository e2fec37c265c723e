// VirtualServices by the gateway they bind to and the namespace that may see them, in Istio's order: private ones first, then those exported to
// the namespace by name, then public ones; by age within each (push_context.go initVirtualServices, VirtualServicesForGateway).
import type { Destination, VirtualService } from "../../model/index.ts";
import { destinationsOf, destinationsOfTcp, destinationsOfTls } from "../../model/index.ts";
import { memoByIdentity } from "../../kit/index.ts";

export interface VirtualServiceIndex {
  /** `gateway` is `mesh` or `namespace/name`. The same list while unchanged. */
  forGateway(namespace: string, gateway: string): readonly VirtualService[];
}

export function buildVirtualServiceIndex(virtualServices: readonly VirtualService[]): VirtualServiceIndex {
  const open = new Map<string, VirtualService[]>();
  const own = new Map<string, VirtualService[]>();
  const named = new Map<string, VirtualService[]>();
  const add = (map: Map<string, VirtualService[]>, key: string, one: VirtualService): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [one]);
    else list.push(one);
  };
  for (const one of virtualServices) {
    const { exportTo } = one;
    for (const gateway of new Set(one.gateways)) {
      if (exportTo.includes("*")) add(open, gateway, one);
      else if (!exportTo.includes("~")) {
        for (const namespace of new Set(exportTo)) add(namespace === one.namespace ? own : named, `${namespace} ${gateway}`, one);
      }
    }
  }
  const memo = new Map<string, readonly VirtualService[]>();
  const none: readonly VirtualService[] = [];
  return {
    forGateway(namespace, gateway) {
      const key = `${namespace} ${gateway}`;
      const first = own.get(key);
      const second = named.get(key);
      const third = open.get(gateway) ?? none;
      if (first === undefined && second === undefined) return third;
      let list = memo.get(key);
      if (list === undefined) memo.set(key, (list = [...(first ?? none), ...(second ?? none), ...third]));
      return list;
    },
  };
}

/** A destination, and whose calls it is for: undefined = everybody's. */
export interface NamedDestination {
  readonly destination: Destination;
  readonly sourceNamespaces: ReadonlySet<string> | undefined;
}

interface Scoped {
  readonly match: readonly { readonly scope: { readonly sourceNamespace: string } }[];
}

/** A namespace that one match names keeps all others out, even if another match names none. */
function sourcesOf(route: Scoped): ReadonlySet<string> | undefined {
  const named = route.match.map((match) => match.scope.sourceNamespace).filter((namespace) => namespace !== "");
  return named.length === 0 ? undefined : new Set(named);
}

/** What a VirtualService sends to, for importing services into a Sidecar's scope. */
export const namedDestinations: (virtualService: VirtualService) => readonly NamedDestination[] = memoByIdentity((virtualService) => {
  const found: NamedDestination[] = [];
  const add = (destinations: readonly Destination[], sourceNamespaces?: ReadonlySet<string>): void => {
    for (const destination of destinations) found.push({ destination, sourceNamespaces });
  };
  for (const route of virtualService.http) add(destinationsOf(route), sourcesOf(route));
  for (const route of virtualService.tcp) add(destinationsOfTcp(route));
  for (const route of virtualService.tls) add(destinationsOfTls(route));
  return found;
});
