// Envoy's response flags as bits: https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage (RESPONSE_FLAGS).
export const FLAG = {
  UH: 1 << 1,
  UF: 1 << 2,
  UO: 1 << 3,
  NR: 1 << 4,
  URX: 1 << 5,
  NC: 1 << 6,
  DT: 1 << 7,
  DC: 1 << 8,
  LR: 1 << 10,
  UR: 1 << 11,
  UC: 1 << 12,
  UT: 1 << 13,
  SI: 1 << 14,
  DPE: 1 << 15,
  UPE: 1 << 16,
  UMSDR: 1 << 17,
  RL: 1 << 18,
  FI: 1 << 19,
  DI: 1 << 20,
  UAEX: 1 << 21,
  OM: 1 << 22,
  DF: 1 << 23,
  LH: 1 << 24,
  IH: 1 << 25,
  RLSE: 1 << 26,
  RFCF: 1 << 27,
  NFCF: 1 << 28,
  DO: 1 << 29,
  DR: 1 << 30,
  UDO: 1 << 31,
} as const;

export type FlagName = keyof typeof FLAG;

const LONG: Readonly<Record<FlagName, string>> = {
  UH: "NoHealthyUpstream",
  UF: "UpstreamConnectionFailure",
  UO: "UpstreamOverflow",
  NR: "NoRouteFound",
  URX: "UpstreamRetryLimitExceeded",
  NC: "NoClusterFound",
  DT: "DurationTimeout",
  DC: "DownstreamConnectionTermination",
  LR: "LocalReset",
  UR: "UpstreamRemoteReset",
  UC: "UpstreamConnectionTermination",
  UT: "UpstreamRequestTimeout",
  SI: "StreamIdleTimeout",
  DPE: "DownstreamProtocolError",
  UPE: "UpstreamProtocolError",
  UMSDR: "UpstreamMaxStreamDurationReached",
  RL: "RateLimited",
  FI: "FaultInjected",
  DI: "DelayInjected",
  UAEX: "UnauthorizedExternalService",
  OM: "OverloadManagerTerminated",
  DF: "DnsResolutionFailed",
  LH: "FailedLocalHealthCheck",
  IH: "InvalidEnvoyRequestHeaders",
  RLSE: "RateLimitServiceError",
  RFCF: "ResponseFromCacheFilter",
  NFCF: "NoFilterConfigFound",
  DO: "DropOverload",
  DR: "DownstreamRemoteReset",
  UDO: "UnconditionalDropOverload",
};

/** Envoy writes flags in the order in which they were set: what filters say, then how the tries ended, then how the request did. */
const FIRST: readonly FlagName[] = ["DI", "FI", "RL", "RLSE", "UAEX", "URX", "UO"];
const ALL = Object.keys(FLAG) as FlagName[];
const OF_REQUESTS: readonly FlagName[] = [...FIRST, ...ALL.filter((name) => !FIRST.includes(name))];

/** A TCP connection's failure comes first, then that it was the last try. */
function named({ flags, protocol }: Flagged): readonly FlagName[] {
  return (protocol === "" ? ALL : OF_REQUESTS).filter((name) => (flags & FLAG[name]) !== 0);
}

export interface Flagged {
  readonly flags: number;
  /** "" = a connection without requests. */
  readonly protocol: string;
}

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAG, name);
}

/** `UF,URX`, or `-`. */
export function flagText(of: Flagged): string {
  return of.flags === 0 ? "-" : named(of).join(",");
}

export function flagTextLong(of: Flagged): string {
  return of.flags === 0
    ? "-"
    : named(of)
        .map((name) => LONG[name])
        .join(",");
}

/** Bits for a list of short names; names that are no flags are left out. */
export function flagMask(names: readonly string[]): number {
  let mask = 0;
  for (const name of names) mask |= (FLAG as Readonly<Record<string, number>>)[name] ?? 0;
  return mask;
}
