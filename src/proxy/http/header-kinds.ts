// Which header lines somebody treats specially, known by length and first letter: the same for HTTP/1 text and for HTTP/2 fields.
/** Kinds of header lines that somebody treats specially; all others pass untouched. */
export const H_OTHER = 0;
export const H_HOST = 1;
export const H_HOP = 2;
export const H_TE = 3;
export const H_LENGTH = 4;
export const H_CODING = 5;
export const H_UPGRADE = 6;
export const H_CONNECTION = 7;
export const H_EXPECT = 8;
export const H_REQUEST_ID = 9;
export const H_FORWARDED_FOR = 10;
export const H_FORWARDED_PROTO = 11;
export const H_ENVOY = 12;
export const H_SERVER = 13;
export const H_DATE = 14;
export const H_CONTENT_TYPE = 15;
export const H_CLIENT_CERT = 17;
export const H_SERVICE_TIME = 18;

/** This kind and those above: nothing but that a name's repeated lines are joined. Each name has one of its own. */
export const H_JOINED = 32;
const ONLY_JOINED =
  "via accept origin pragma referer if-match if-range user-agent grpc-timeout authorization cache-control if-none-match accept-encoding " +
  "content-encoding x-forwarded-host x-forwarded-port if-modified-since x-client-trace-id if-unmodified-since grpc-accept-encoding " +
  "access-control-request-method access-control-request-headers access-control-request-private-network";
const KINDS: ReadonlyMap<string, number> = new Map(ONLY_JOINED.split(" ").map((name, i) => [name, H_JOINED + i]));
export const H_REFERER: number = KINDS.get("referer") as number;

/** Names whose repeated lines become one, joined with a comma, as Envoy does on arrival. */
export const JOINED_NAMES: ReadonlySet<string> = new Set([
  ...KINDS.keys(),
  "x-request-id",
  "x-forwarded-for",
  "x-forwarded-proto",
  "content-type",
  "te",
  "expect",
]);

/** A bit of its own for each kind from H_JOINED on. */
export function joinedBit(kind: number): number {
  return 1 << (kind - H_JOINED);
}

/** text[at…] equals the lower-case name, ignoring case. */
export function sameName(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const want = name.charCodeAt(i);
    const have = text.charCodeAt(at + i);
    if (have !== want && !(have >= 65 && have <= 90 && have + 32 === want)) return false;
  }
  return true;
}

/** Of requests, by name in lower case; those that begin with `x-envoy-` are H_ENVOY. */
export const REQUEST_KINDS: ReadonlyMap<string, number> = new Map([
  ...KINDS,
  ["te", H_TE],
  ["host", H_HOST],
  ["expect", H_EXPECT],
  ["upgrade", H_UPGRADE],
  ["connection", H_CONNECTION],
  ["keep-alive", H_HOP],
  ["x-request-id", H_REQUEST_ID],
  ["content-type", H_CONTENT_TYPE],
  ["content-length", H_LENGTH],
  ["x-forwarded-for", H_FORWARDED_FOR],
  ["proxy-connection", H_HOP],
  ["transfer-encoding", H_CODING],
  ["x-forwarded-proto", H_FORWARDED_PROTO],
  ["x-forwarded-client-cert", H_CLIENT_CERT],
]);

/** Of answers, by name in lower case. */
export const RESPONSE_KINDS: ReadonlyMap<string, number> = new Map([
  ["date", H_DATE],
  ["server", H_SERVER],
  ["upgrade", H_UPGRADE],
  ["connection", H_CONNECTION],
  ["keep-alive", H_HOP],
  ["content-length", H_LENGTH],
  ["proxy-connection", H_HOP],
  ["transfer-encoding", H_CODING],
  ["x-envoy-decorator-operation", H_ENVOY],
  ["x-envoy-upstream-service-time", H_SERVICE_TIME],
]);

/** `name` in lower case. */
export function requestKind(name: string): number {
  return REQUEST_KINDS.get(name) ?? (name.startsWith("x-envoy-") ? H_ENVOY : H_OTHER);
}

/** `name` in lower case. */
export function responseKind(name: string): number {
  return RESPONSE_KINDS.get(name) ?? H_OTHER;
}

/** Is it gRPC's content type, with or without a subtype? grpc-web is not (source: Envoy's Grpc::Common). */
export function isGrpc(contentType: string): boolean {
  return contentType.startsWith("application/grpc") && (contentType.length === 16 || contentType[16] === "+");
}
