// Envoy's transport sockets and secrets: TLS contexts, SDS secrets, the PROXY protocol towards an upstream.
export * from "./gen/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
export {
  type GenericSecret,
  GenericSecretSchema,
  type SdsSecretConfig,
  SdsSecretConfigSchema,
  type Secret,
  SecretSchema,
} from "./gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
export * from "./gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
export {
  type ProxyProtocolUpstreamTransport,
  ProxyProtocolUpstreamTransportSchema,
} from "./gen/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol_pb.js";
export {
  type ProxyProtocolConfig,
  ProxyProtocolConfig_Version,
  ProxyProtocolConfigSchema,
} from "./gen/envoy/config/core/v3/proxy_protocol_pb.js";
