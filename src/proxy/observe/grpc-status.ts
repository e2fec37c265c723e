// gRPC's status codes as logs and retries know them. https://github.com/grpc/grpc/blob/master/doc/statuscodes.md

const CAMEL = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

const SNAKE = CAMEL.map((name) =>
  name === "Canceled" ? "CANCELLED" : name === "OK" ? "OK" : name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
);

/** As Envoy reads `grpc-status`; -1 = it is no number. */
export function parseGrpcStatus(value: string): number {
  return /^\d{1,9}$/.test(value) ? Number(value) : -1;
}

export type GrpcStatusStyle = "CAMEL_STRING" | "SNAKE_STRING" | "NUMBER";

/** A code that has no name is a number in every style. */
export function grpcStatusText(code: number, style: GrpcStatusStyle): string | number {
  if (style === "NUMBER") return code;
  return (style === "CAMEL_STRING" ? CAMEL : SNAKE)[code] ?? String(code);
}

/** What an HTTP status stands for to a gRPC caller (grpc/doc/http-grpc-status-mapping.md). */
export function grpcStatusOf(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}

/** `grpc-message`: percent-encoded where it is not printable ASCII. */
export function grpcMessage(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
