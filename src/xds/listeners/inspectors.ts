// Listener filters: what is learnt of a connection before its filter chain is chosen (Envoy, listener filters).
import {
  create,
  HttpInspectorSchema,
  type ListenerFilter,
  ListenerFilterSchema,
  OriginalDstSchema,
  packAny,
  ProxyProtocolSchema,
  TlsInspectorSchema,
} from "../../envoy-api/index.ts";

export function tlsInspector(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.tls_inspector",
    configType: { case: "typedConfig", value: packAny(TlsInspectorSchema, create(TlsInspectorSchema)) },
  });
}

export function httpInspector(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: "envoy.filters.listener.http_inspector",
    configType: { case: "typedConfig", value: packAny(HttpInspectorSchema, create(HttpInspectorSchema)) },
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
