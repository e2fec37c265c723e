// gRPC's own time-out header: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Timeout), read and written as Envoy does.

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000001 };
/** Eight digits. */
const MAX_VALUE = 99_999_999;

/** `10S`, `250m` in whole milliseconds, parts of one count as one; undefined = none, or not one. 0 means no limit. */
export function grpcTimeout(value: string | undefined): number | undefined {
  const match = value === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(value);
  if (match === null) return undefined;
  return Math.ceil(Number(match[1]) * (UNIT_MS[match[2] as string] as number));
}

/** Milliseconds as gRPC writes them. */
export function grpcTimeoutText(ms: number): string {
  let value = Math.round(ms);
  if (value <= MAX_VALUE) return `${value}m`;
  value = Math.floor(value / 1000);
  for (const unit of ["S", "M"]) {
    if (value <= MAX_VALUE) return `${value}${unit}`;
    value = Math.floor(value / 60);
  }
  return `${Math.min(value, MAX_VALUE)}H`;
}
