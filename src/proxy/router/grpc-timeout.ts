// gRPC's own time-out header: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Timeout).

/** `10S`, `250m` in milliseconds; undefined = none, or not one. */
export function grpcTimeout(value: string | undefined): number | undefined {
  const match = value === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(value);
  if (match === null) return undefined;
  const unit = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 }[match[2] as "H" | "M" | "S" | "m" | "u" | "n"];
  return Math.max(1, Number(match[1]) * unit);
}
