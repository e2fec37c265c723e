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

const BY_LENGTH: (readonly string[] | undefined)[] = [];
for (const name of KINDS.keys()) BY_LENGTH[name.length] = [...(BY_LENGTH[name.length] ?? []), name];

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
    case 4:
      return sameName(text, at, "host") ? H_HOST : H_OTHER;
    case 6:
      return sameName(text, at, "expect") ? H_EXPECT : plainKind(text, at, length);
    case 7:
      return sameName(text, at, "upgrade") ? H_UPGRADE : plainKind(text, at, length);
    case 10:
      if (sameName(text, at, "connection")) return H_CONNECTION;
      return sameName(text, at, "keep-alive") ? H_HOP : plainKind(text, at, length);
    case 12:
      if (sameName(text, at, "x-request-id")) return H_REQUEST_ID;
      return sameName(text, at, "content-type") ? H_CONTENT_TYPE : plainKind(text, at, length);
    case 14:
      return sameName(text, at, "content-length") ? H_LENGTH : plainKind(text, at, length);
    case 15:
      return sameName(text, at, "x-forwarded-for") ? H_FORWARDED_FOR : plainKind(text, at, length);
    case 16:
      return sameName(text, at, "proxy-connection") ? H_HOP : plainKind(text, at, length);
    case 17:
      if (sameName(text, at, "transfer-encoding")) return H_CODING;
      return sameName(text, at, "x-forwarded-proto") ? H_FORWARDED_PROTO : plainKind(text, at, length);
    case 23:
      return sameName(text, at, "x-forwarded-client-cert") ? H_CLIENT_CERT : plainKind(text, at, length);
    default:
      return plainKind(text, at, length);
  }
}

/** One of those that are only joined, or one of Envoy's. */
function plainKind(text: string, at: number, length: number): number {
  const names = BY_LENGTH[length];
  if (names !== undefined) for (const name of names) if (sameName(text, at, name)) return KINDS.get(name) as number;
  if (length <= 8 || (text.charCodeAt(at) | 32) !== 120 || (text.charCodeAt(at + 2) | 32) !== 101) return H_OTHER;
  return sameName(text, at, "x-envoy-") ? H_ENVOY : H_OTHER;
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
