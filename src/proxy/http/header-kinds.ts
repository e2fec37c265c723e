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
export const H_JOINED = 16;
export const H_CLIENT_CERT = 17;
export const H_SERVICE_TIME = 18;

/** Names whose repeated lines become one, joined with a comma, as Envoy does on arrival. */
export const JOINED_NAMES: ReadonlySet<string> = new Set([
  "accept",
  "user-agent",
  "x-request-id",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "content-type",
  "te",
  "expect",
  "grpc-timeout",
  "via",
  "origin",
  "access-control-request-method",
  "access-control-request-headers",
  "access-control-request-private-network",
]);

/** A bit of its own for each name of kind H_JOINED: they are told apart by length and first letter. */
export function joinedBit(length: number, first: number): number {
  if (length > 30) return 1 << 28;
  return length === 6 && (first | 32) === LETTER_O ? 1 : 1 << length;
}

const LETTER_O = 111;

/** text[at…] equals the lower-case name, ignoring case. */
export function sameName(text: string, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const want = name.charCodeAt(i);
    const have = text.charCodeAt(at + i);
    if (have !== want && !(have >= 65 && have <= 90 && have + 32 === want)) return false;
  }
  return true;
}

export function requestKind(text: string, at: number, length: number): number {
  switch (length) {
    case 2:
      return sameName(text, at, "te") ? H_TE : H_OTHER;
    case 3:
      return sameName(text, at, "via") ? H_JOINED : H_OTHER;
    case 4:
      return sameName(text, at, "host") ? H_HOST : H_OTHER;
    case 6:
      if (sameName(text, at, "expect")) return H_EXPECT;
      return sameName(text, at, "accept") || sameName(text, at, "origin") ? H_JOINED : H_OTHER;
    case 7:
      return sameName(text, at, "upgrade") ? H_UPGRADE : H_OTHER;
    case 10:
      if (sameName(text, at, "connection")) return H_CONNECTION;
      return sameName(text, at, "keep-alive") ? H_HOP : sameName(text, at, "user-agent") ? H_JOINED : H_OTHER;
    case 12:
      if (sameName(text, at, "x-request-id")) return H_REQUEST_ID;
      return sameName(text, at, "content-type") ? H_CONTENT_TYPE : sameName(text, at, "grpc-timeout") ? H_JOINED : H_OTHER;
    case 14:
      return sameName(text, at, "content-length") ? H_LENGTH : H_OTHER;
    case 15:
      return sameName(text, at, "x-forwarded-for") ? H_FORWARDED_FOR : envoyKind(text, at);
    case 16:
      return sameName(text, at, "proxy-connection") ? H_HOP : sameName(text, at, "x-forwarded-host") ? H_JOINED : envoyKind(text, at);
    case 17:
      if (sameName(text, at, "transfer-encoding")) return H_CODING;
      return sameName(text, at, "x-forwarded-proto") ? H_FORWARDED_PROTO : envoyKind(text, at);
    case 23:
      return sameName(text, at, "x-forwarded-client-cert") ? H_CLIENT_CERT : envoyKind(text, at);
    case 29:
      return sameName(text, at, "access-control-request-method") ? H_JOINED : envoyKind(text, at);
    case 30:
      return sameName(text, at, "access-control-request-headers") ? H_JOINED : envoyKind(text, at);
    case 38:
      return sameName(text, at, "access-control-request-private-network") ? H_JOINED : envoyKind(text, at);
    default:
      return length > 8 ? envoyKind(text, at) : H_OTHER;
  }
}

function envoyKind(text: string, at: number): number {
  return (text.charCodeAt(at) | 32) === 120 && (text.charCodeAt(at + 2) | 32) === 101 && sameName(text, at, "x-envoy-") ? H_ENVOY : H_OTHER;
}

export function responseKind(text: string, at: number, length: number): number {
  switch (length) {
    case 4:
      return sameName(text, at, "date") ? H_DATE : H_OTHER;
    case 6:
      return sameName(text, at, "server") ? H_SERVER : H_OTHER;
    case 7:
      return sameName(text, at, "upgrade") ? H_UPGRADE : H_OTHER;
    case 10:
      return sameName(text, at, "connection") ? H_CONNECTION : sameName(text, at, "keep-alive") ? H_HOP : H_OTHER;
    case 14:
      return sameName(text, at, "content-length") ? H_LENGTH : H_OTHER;
    case 16:
      return sameName(text, at, "proxy-connection") ? H_HOP : H_OTHER;
    case 17:
      return sameName(text, at, "transfer-encoding") ? H_CODING : H_OTHER;
    case 27:
      return sameName(text, at, "x-envoy-decorator-operation") ? H_ENVOY : H_OTHER;
    case 29:
      return sameName(text, at, "x-envoy-upstream-service-time") ? H_SERVICE_TIME : H_OTHER;
    default:
      return H_OTHER;
  }
}

/** Is it gRPC's content type, with or without a subtype? grpc-web is not (source: Envoy's Grpc::Common). */
export function isGrpc(contentType: string): boolean {
  return contentType.startsWith("application/grpc") && (contentType.length === 16 || contentType[16] === "+");
}
