// Transport sockets by their names in Envoy.
import {
  create,
  type DownstreamTlsContext,
  DownstreamTlsContextSchema,
  packAny,
  ProxyProtocolConfig_Version as ProxyProtocolVersion,
  ProxyProtocolUpstreamTransportSchema,
  RawBufferSchema,
  type TransportSocket,
  TransportSocketSchema,
  type UpstreamTlsContext,
  UpstreamTlsContextSchema,
} from "../../envoy-api/index.ts";

const TLS = "envoy.transport_sockets.tls";

export function downstreamSocket(context: DownstreamTlsContext): TransportSocket {
  return create(TransportSocketSchema, {
    name: TLS,
    configType: { case: "typedConfig", value: packAny(DownstreamTlsContextSchema, context) },
  });
}

export function upstreamSocket(context: UpstreamTlsContext): TransportSocket {
  return create(TransportSocketSchema, {
    name: TLS,
    configType: { case: "typedConfig", value: packAny(UpstreamTlsContextSchema, context) },
  });
}

export function rawSocket(): TransportSocket {
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.raw_buffer",
    configType: { case: "typedConfig", value: packAny(RawBufferSchema, create(RawBufferSchema)) },
  });
}

/** Says where the connection came from before anything else goes out. */
export function proxyProtocolSocket(version: "V1" | "V2", inner: TransportSocket): TransportSocket {
  const message = create(ProxyProtocolUpstreamTransportSchema, {
    config: { version: version === "V2" ? ProxyProtocolVersion.V2 : ProxyProtocolVersion.V1 },
    transportSocket: inner,
  });
  return create(TransportSocketSchema, {
    name: "envoy.transport_sockets.upstream_proxy_protocol",
    configType: { case: "typedConfig", value: packAny(ProxyProtocolUpstreamTransportSchema, message) },
  });
}
