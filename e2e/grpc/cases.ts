// gRPC's interoperability cases that need neither TLS, tokens nor compression, by the names of its specification.
// https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md
export const CASES = [
  "empty_unary",
  "large_unary",
  "client_streaming",
  "server_streaming",
  "ping_pong",
  "empty_stream",
  "custom_metadata",
  "status_code_and_message",
  "special_status_message",
  "unimplemented_method",
  "unimplemented_service",
  "cancel_after_begin",
  "cancel_after_first_response",
  "timeout_on_sleeping_server",
] as const;
export type CaseName = (typeof CASES)[number];
