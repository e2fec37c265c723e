// Envoy's shared messages (config.core.v3, type.v3, type.matcher.v3) that the other topics build on.
export * from "./gen/envoy/config/core/v3/address_pb.js";
export {
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
  type AggregatedConfigSource,
  AggregatedConfigSourceSchema,
  type ApiConfigSource,
  ApiConfigSource_ApiType,
  ApiConfigSourceSchema,
} from "./gen/envoy/config/core/v3/config_source_pb.js";
export {
  type DataSource,
  DataSourceSchema,
  type HeaderMap,
  type HeaderValue,
  HeaderValueSchema,
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
  type Locality,
  LocalitySchema,
  type Metadata,
  MetadataSchema,
  type Node,
  NodeSchema,
  RequestMethod,
  RoutingPriority,
  type RuntimeFractionalPercent,
  RuntimeFractionalPercentSchema,
  TrafficDirection,
  type TransportSocket,
  TransportSocketSchema,
} from "./gen/envoy/config/core/v3/base_pb.js";
export { type TypedExtensionConfig, TypedExtensionConfigSchema } from "./gen/envoy/config/core/v3/extension_pb.js";
export { type GrpcService, GrpcServiceSchema } from "./gen/envoy/config/core/v3/grpc_service_pb.js";
export { HealthStatus } from "./gen/envoy/config/core/v3/health_check_pb.js";
export {
  type Http1ProtocolOptions,
  Http1ProtocolOptionsSchema,
  type Http2ProtocolOptions,
  Http2ProtocolOptionsSchema,
  type HttpProtocolOptions,
  HttpProtocolOptions_HeadersWithUnderscoresAction,
  HttpProtocolOptionsSchema,
  type SchemeHeaderTransformation,
  SchemeHeaderTransformationSchema,
} from "./gen/envoy/config/core/v3/protocol_pb.js";
export { type SubstitutionFormatString, SubstitutionFormatStringSchema } from "./gen/envoy/config/core/v3/substitution_format_string_pb.js";
export {
  type RegexMatchAndSubstitute,
  RegexMatchAndSubstituteSchema,
  type RegexMatcher,
  RegexMatcherSchema,
} from "./gen/envoy/type/matcher/v3/regex_pb.js";
export { type StringMatcher, StringMatcherSchema } from "./gen/envoy/type/matcher/v3/string_pb.js";
export {
  type FractionalPercent,
  FractionalPercent_DenominatorType,
  FractionalPercentSchema,
  type Percent,
  PercentSchema,
} from "./gen/envoy/type/v3/percent_pb.js";
export { CodecClientType } from "./gen/envoy/type/v3/http_pb.js";
export { type Int64Range, Int64RangeSchema } from "./gen/envoy/type/v3/range_pb.js";
export { type Any, AnySchema, type Duration, DurationSchema, type Struct } from "@bufbuild/protobuf/wkt";
