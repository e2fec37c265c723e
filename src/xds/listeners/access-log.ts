// The access log as MeshConfig asks for it; Istio's default text format.
import {
  type AccessLog,
  type AccessLogFilter,
  AccessLogFilterSchema,
  AccessLogSchema,
  create,
  FileAccessLogSchema,
  packAny,
  ReqWithoutQuerySchema,
  type SubstitutionFormatString,
  SubstitutionFormatStringSchema,
} from "../../envoy-api/index.ts";
import type { MeshSettings } from "../../model/index.ts";

const DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% ' +
  '%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

const JSON_FIELDS: Readonly<Record<string, string>> = {
  start_time: "%START_TIME%",
  route_name: "%ROUTE_NAME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};

type Json = NonNullable<SubstitutionFormatString["format"]["value"]> & object;

/** What is no JSON object has Istio's own fields instead: checked where the MeshConfig is read. */
function jsonTemplate(format: string): Readonly<Record<string, unknown>> {
  if (format === "") return JSON_FIELDS;
  try {
    const template: unknown = JSON.parse(format);
    return typeof template === "object" && template !== null && !Array.isArray(template)
      ? (template as Record<string, unknown>)
      : JSON_FIELDS;
  } catch {
    return JSON_FIELDS;
  }
}

/** The one operator that Envoy has in an extension of its own. */
const WITHOUT_QUERY = {
  name: "envoy.formatter.req_without_query",
  typedConfig: packAny(ReqWithoutQuerySchema, create(ReqWithoutQuerySchema)),
};

function formatOf(mesh: MeshSettings): SubstitutionFormatString {
  const formatters = mesh.accessLogFormat.includes("%REQ_WITHOUT_QUERY") ? [WITHOUT_QUERY] : [];
  if (mesh.accessLogEncoding === "JSON") {
    const value = jsonTemplate(mesh.accessLogFormat) as Json;
    return create(SubstitutionFormatStringSchema, { format: { case: "jsonFormat", value }, formatters } as never);
  }
  const text = mesh.accessLogFormat === "" ? DEFAULT_FORMAT : mesh.accessLogFormat;
  const inlineString = text.endsWith("\n") ? text : `${text}\n`;
  return create(SubstitutionFormatStringSchema, {
    format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value: inlineString } } },
    formatters,
  } as never);
}

function build(mesh: MeshSettings, filter?: AccessLogFilter): AccessLog[] {
  if (mesh.accessLogFile === "") return [];
  const file = create(FileAccessLogSchema, {
    path: mesh.accessLogFile,
    accessLogFormat: { case: "logFormat", value: formatOf(mesh) },
  });
  return [
    create(AccessLogSchema, {
      name: "envoy.access_loggers.file",
      configType: { case: "typedConfig", value: packAny(FileAccessLogSchema, file) },
      ...(filter === undefined ? {} : { filter }),
    }),
  ];
}

export function buildAccessLogs(mesh: MeshSettings): AccessLog[] {
  return build(mesh);
}

/** Of a listener itself: connections that no filter chain takes. */
export function buildListenerAccessLogs(mesh: MeshSettings): AccessLog[] {
  if (mesh.listenerLogDisabled) return [];
  return build(mesh, create(AccessLogFilterSchema, { filterSpecifier: { case: "responseFlagFilter", value: { flags: ["NR"] } } }));
}
