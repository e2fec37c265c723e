// Listener filters: what is learnt of a connection before its filter chain is chosen (Envoy, listener filters). One that reads the first
// bytes is kept away from ports where nobody asks for what it finds, since there the server may have the first word
// (Istio networking/core/listener_inbound.go populateListenerFilters).
import {
  create,
  type FilterChain,
  HttpInspectorSchema,
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
  OriginalDstSchema,
  packAny,
  ProxyProtocolSchema,
  TlsInspectorSchema,
} from "../../envoy-api/index.ts";

type Disabled = ListenerFilterChainMatchPredicate | undefined;

export function tlsInspector(disabled?: Disabled): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.tls_inspector",
    configType: { case: "typedConfig", value: packAny(TlsInspectorSchema, create(TlsInspectorSchema)) },
    ...(disabled === undefined ? {} : { filterDisabled: disabled }),
  });
}

export function httpInspector(disabled?: Disabled): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.http_inspector",
    configType: { case: "typedConfig", value: packAny(HttpInspectorSchema, create(HttpInspectorSchema)) },
    ...(disabled === undefined ? {} : { filterDisabled: disabled }),
  });
}

export function originalDestinationFilter(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.original_dst",
    configType: { case: "typedConfig", value: packAny(OriginalDstSchema, create(OriginalDstSchema)) },
  });
}

/** Takes the client's address from the PROXY line in front of the connection. */
export function proxyProtocolFilter(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.proxy_protocol",
    configType: { case: "typedConfig", value: packAny(ProxyProtocolSchema, create(ProxyProtocolSchema)) },
  });
}

/** Connections to one of these ports. */
function toPorts(ports: readonly number[]): ListenerFilterChainMatchPredicate {
  const rules = ports.map((port) =>
    create(ListenerFilterChainMatchPredicateSchema, { rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } } }),
  );
  const [only] = rules;
  if (rules.length === 1 && only !== undefined) return only;
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: "orMatch", value: { rules } } });
}

function notTo(ports: readonly number[]): ListenerFilterChainMatchPredicate {
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: "notMatch", value: toPorts(ports) } });
}

/** `needs`: does some chain of this port (0: any port) ask? undefined: nobody does. */
function disabledWhere(needs: ReadonlyMap<number, boolean>): { readonly disabled: Disabled } | undefined {
  const asking = [...needs].filter(([, asks]) => asks).map(([port]) => port);
  if (asking.length === 0) return undefined;
  const silent = [...needs].filter(([port, asks]) => !asks && port !== 0).map(([port]) => port);
  if (needs.get(0) === true) return { disabled: silent.length === 0 ? undefined : toPorts(silent.sort((a, b) => a - b)) };
  return { disabled: silent.length === 0 && !needs.has(0) ? undefined : notTo(asking.sort((a, b) => a - b)) };
}

/** The inspectors that these chains need. TLS comes first: what it finds is no plain HTTP. */
export function inspectorsFor(chains: readonly FilterChain[]): ListenerFilter[] {
  const tls = new Map<number, boolean>();
  const http = new Map<number, boolean>();
  for (const { filterChainMatch } of chains) {
    const port = filterChainMatch?.destinationPort ?? 0;
    const names = filterChainMatch?.applicationProtocols ?? [];
    tls.set(port, tls.get(port) === true || filterChainMatch?.transportProtocol === "tls");
    http.set(port, http.get(port) === true || names.includes("http/1.1") || names.includes("h2c"));
  }
  const readsTls = disabledWhere(tls);
  const readsHttp = disabledWhere(http);
  return [
    ...(readsTls === undefined ? [] : [tlsInspector(readsTls.disabled)]),
    ...(readsHttp === undefined ? [] : [httpInspector(readsHttp.disabled)]),
  ];
}
