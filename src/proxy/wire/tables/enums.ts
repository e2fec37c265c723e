// Fields of Envoy's messages: the enums that the messages name. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
export const ENUMS = `
envoy.config.cluster.v3.Cluster.ClusterProtocolSelection USE_CONFIGURED_PROTOCOL=0 USE_DOWNSTREAM_PROTOCOL=1
envoy.config.cluster.v3.Cluster.DiscoveryType STATIC=0 STRICT_DNS=1 LOGICAL_DNS=2 EDS=3 ORIGINAL_DST=4
envoy.config.cluster.v3.Cluster.DnsLookupFamily AUTO=0 V4_ONLY=1 V6_ONLY=2 V4_PREFERRED=3 ALL=4
envoy.extensions.clusters.common.dns.v3.DnsLookupFamily UNSPECIFIED=0 AUTO=1 V4_ONLY=2 V6_ONLY=3 V4_PREFERRED=4 ALL=5
envoy.config.cluster.v3.Cluster.LbPolicy ROUND_ROBIN=0 LEAST_REQUEST=1 RING_HASH=2 RANDOM=3 MAGLEV=5 CLUSTER_PROVIDED=6
  | LOAD_BALANCING_POLICY_CONFIG=7
envoy.config.cluster.v3.Cluster.RingHashLbConfig.HashFunction XX_HASH=0 MURMUR_HASH_2=1
envoy.config.core.v3.ApiConfigSource.ApiType DEPRECATED_AND_UNAVAILABLE_DO_NOT_USE=0 REST=1 GRPC=2 DELTA_GRPC=3 AGGREGATED_GRPC=5
  | AGGREGATED_DELTA_GRPC=6
envoy.config.core.v3.ApiVersion AUTO=0 V2=1 V3=2
envoy.config.core.v3.HeaderValueOption.HeaderAppendAction APPEND_IF_EXISTS_OR_ADD=0 ADD_IF_ABSENT=1 OVERWRITE_IF_EXISTS_OR_ADD=2
  | OVERWRITE_IF_EXISTS=3
envoy.config.core.v3.HealthStatus UNKNOWN=0 HEALTHY=1 UNHEALTHY=2 DRAINING=3 TIMEOUT=4 DEGRADED=5
envoy.config.core.v3.HttpProtocolOptions.HeadersWithUnderscoresAction ALLOW=0 REJECT_REQUEST=1 DROP_HEADER=2
envoy.config.core.v3.RoutingPriority DEFAULT=0 HIGH=1
envoy.config.core.v3.SocketAddress.Protocol TCP=0 UDP=1
envoy.config.core.v3.TrafficDirection UNSPECIFIED=0 INBOUND=1 OUTBOUND=2
envoy.config.route.v3.RedirectAction.RedirectResponseCode MOVED_PERMANENTLY=0 FOUND=1 SEE_OTHER=2 TEMPORARY_REDIRECT=3
  | PERMANENT_REDIRECT=4
envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode SERVICE_UNAVAILABLE=0 NOT_FOUND=1 INTERNAL_SERVER_ERROR=2
envoy.config.route.v3.VirtualHost.TlsRequirementType NONE=0 EXTERNAL_ONLY=1 ALL=2
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.CodecType AUTO=0 HTTP1=1 HTTP2=2 HTTP3=3
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertDetails SANITIZE=0 FORWARD_ONLY=1
  | APPEND_FORWARD=2 SANITIZE_SET=3 ALWAYS_FORWARD_ONLY=4
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.PathWithEscapedSlashesAction
  | IMPLEMENTATION_SPECIFIC_DEFAULT=0 KEEP_UNCHANGED=1 REJECT_REQUEST=2 UNESCAPE_AND_REDIRECT=3 UNESCAPE_AND_FORWARD=4
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ServerHeaderTransformation OVERWRITE=0
  | APPEND_IF_ABSENT=1 PASS_THROUGH=2
envoy.config.core.v3.ProxyProtocolConfig.Version V1=0 V2=1
envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext.TrustChainVerification VERIFY_TRUST_CHAIN=0 ACCEPT_UNTRUSTED=1
envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext.OcspStaplePolicy LENIENT_STAPLING=0 STRICT_STAPLING=1 MUST_STAPLE=2
envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher.SanType SAN_TYPE_UNSPECIFIED=0 EMAIL=1 DNS=2 URI=3 IP_ADDRESS=4 OTHER_NAME=5
envoy.extensions.transport_sockets.tls.v3.TlsParameters.TlsProtocol TLS_AUTO=0 TLSv1_0=1 TLSv1_1=2 TLSv1_2=3 TLSv1_3=4
envoy.type.v3.FractionalPercent.DenominatorType HUNDRED=0 TEN_THOUSAND=1 MILLION=2
`;
