// Fields of Envoy's messages: TLS contexts, secrets, the PROXY protocol. How to read it stands in ../fields.ts; the test there compares it with Envoy's API.
// max_session_keys bounds what a client keeps for later handshakes: this proxy keeps nothing, so every bound holds.
const TLS = "envoy.extensions.transport_sockets.tls.v3";

export const TRANSPORT = `
${TLS}.DownstreamTlsContext
  + common_tls_context=1:${TLS}.CommonTlsContext require_client_certificate=2:bool? session_timeout=6:duration
  + disable_stateless_session_resumption=7:bool disable_stateful_session_resumption=10:bool full_scan_certs_on_sni_mismatch=9:bool?
  + ocsp_staple_policy=8:enum:${TLS}.DownstreamTlsContext.OcspStaplePolicy require_sni=3:bool?
  ! session_ticket_keys=4 session_ticket_keys_sds_secret_config=5
${TLS}.UpstreamTlsContext
  + common_tls_context=1:${TLS}.CommonTlsContext sni=2:string allow_renegotiation=3:bool
  + enforce_rsa_key_usage=5:bool?
  ~ max_session_keys=4
${TLS}.CommonTlsContext
  + tls_params=1:${TLS}.TlsParameters tls_certificates=2:${TLS}.TlsCertificate[]
  + tls_certificate_sds_secret_configs=6:${TLS}.SdsSecretConfig[] validation_context=3:${TLS}.CertificateValidationContext
  + validation_context_sds_secret_config=7:${TLS}.SdsSecretConfig alpn_protocols=4:string[]
  + combined_validation_context=8:${TLS}.CommonTlsContext.CombinedCertificateValidationContext
  ! tls_certificate_provider_instance=14 tls_certificate_certificate_provider=9 tls_certificate_certificate_provider_instance=11
  ! validation_context_certificate_provider=10 validation_context_certificate_provider_instance=12 custom_handshaker=13 key_log=15
${TLS}.CommonTlsContext.CombinedCertificateValidationContext
  + default_validation_context=1:${TLS}.CertificateValidationContext validation_context_sds_secret_config=2:${TLS}.SdsSecretConfig
  ! validation_context_certificate_provider=3 validation_context_certificate_provider_instance=4
${TLS}.TlsParameters
  + tls_minimum_protocol_version=1:enum:${TLS}.TlsParameters.TlsProtocol
  + tls_maximum_protocol_version=2:enum:${TLS}.TlsParameters.TlsProtocol cipher_suites=3:string[] ecdh_curves=4:string[]
  + signature_algorithms=5:string[]
${TLS}.TlsCertificate
  + certificate_chain=1:envoy.config.core.v3.DataSource private_key=2:envoy.config.core.v3.DataSource
  + password=3:envoy.config.core.v3.DataSource
  ! pkcs12=8 watched_directory=7 private_key_provider=6 ocsp_staple=4 signed_certificate_timestamp=5
${TLS}.CertificateValidationContext
  + trusted_ca=1:envoy.config.core.v3.DataSource system_root_certs=17:${TLS}.CertificateValidationContext.SystemRootCerts
  + verify_certificate_spki=3:string[] verify_certificate_hash=2:string[] match_typed_subject_alt_names=15:${TLS}.SubjectAltNameMatcher[]
  + match_subject_alt_names=9:envoy.type.matcher.v3.StringMatcher[] crl=7:envoy.config.core.v3.DataSource
  + trust_chain_verification=10:enum:${TLS}.CertificateValidationContext.TrustChainVerification
  + allow_expired_certificate=8:bool only_verify_leaf_cert_crl=14:bool require_signed_certificate_timestamp=6:bool?
  ! ca_certificate_provider_instance=13 watched_directory=11 custom_validator_config=12 max_verify_depth=16
${TLS}.CertificateValidationContext.SystemRootCerts
${TLS}.SubjectAltNameMatcher
  + san_type=1:enum:${TLS}.SubjectAltNameMatcher.SanType matcher=2:envoy.type.matcher.v3.StringMatcher oid=3:string
${TLS}.SdsSecretConfig
  + name=1:string sds_config=2:envoy.config.core.v3.ConfigSource
${TLS}.Secret
  + name=1:string tls_certificate=2:${TLS}.TlsCertificate validation_context=4:${TLS}.CertificateValidationContext
  ! session_ticket_keys=3 generic_secret=5
envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport
  + config=1:envoy.config.core.v3.ProxyProtocolConfig transport_socket=2:envoy.config.core.v3.TransportSocket
envoy.config.core.v3.ProxyProtocolConfig
  + version=1:enum:envoy.config.core.v3.ProxyProtocolConfig.Version
  ! pass_through_tlvs=2
envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol
  + allow_requests_without_proxy_protocol=2:bool disallowed_versions=4:enum:envoy.config.core.v3.ProxyProtocolConfig.Version[]
  + stat_prefix=5:string
  ! rules=1 pass_through_tlvs=3
`;
