// Sticky shares, which Istio does not have: weights are shares of users. The key's hash chooses the cluster (Envoy's
// weighted_clusters.use_hash_policy), over ranges that only move one way while a weight grows, so that nobody goes back.
import {
  create,
  type HeaderValueOption,
  HeaderValueOption_HeaderAppendAction as Append,
  type RouteAction_HashPolicy,
  RouteAction_HashPolicySchema,
  type WeightedCluster,
  type WeightedCluster_ClusterWeight,
  WeightedClusterSchema,
} from "../../envoy-api/index.ts";
import type { ConsistentHashKey, HttpRoute } from "../../model/index.ts";
import type { RouteContext } from "./action.ts";
import { buildHashPolicy } from "./hash-policy.ts";
import { headerOption } from "./headers.ts";
import type { FurtherMatch } from "./match.ts";

/** One route of a rule: for requests with a key, or for those that get one. */
export interface ShareVariant extends FurtherMatch {
  readonly hashPolicy: RouteAction_HashPolicy;
  readonly setCookie: readonly HeaderValueOption[];
}

type CookieKey = Extract<ConsistentHashKey, { kind: "cookie" }>;

/** A month: who comes back later is counted anew. */
const OWN_COOKIE_MS = 30 * 86_400_000;
const REQUEST_ID = "x-request-id";
/** Of the request's id, what stays as it is when Envoy writes its decision about tracing into the rest. */
const ID_LENGTH = 13;

/** Without a key of the DestinationRule's: one cookie for each VirtualService, so that not the same users are the first everywhere. */
function ownCookie(owner: string): CookieKey {
  return { kind: "cookie", name: `serin-share-${owner}`, path: "/", ttlMs: OWN_COOKIE_MS, attributes: [] };
}

/** The key of the first destination that hashes. */
function keyOf(rule: HttpRoute, context: RouteContext): ConsistentHashKey | undefined {
  for (const { destination } of rule.route) {
    const key = context.known.get(destination.host)?.destinationRule?.hashKeyFor(destination.port, destination.subset);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** In order: the first whose conditions hold counts. Where one destination gets everything there is nothing to share. */
export function shareVariants(
  rule: HttpRoute,
  { context, owner }: { readonly context: RouteContext; readonly owner: string },
): readonly (ShareVariant | undefined)[] {
  if (rule.route.length < 2) return [undefined];
  const key = keyOf(rule, context);
  switch (key?.kind) {
    case "sourceIp":
      return [{ ...ANY, hashPolicy: buildHashPolicy(key) }];
    case "cookie":
      return cookieVariants({ ...key, path: key.path === "" ? "/" : key.path }, context);
    case "header": {
      const headers = [[key.name.toLowerCase(), PRESENT]] as const;
      return [{ ...ANY, headers, hashPolicy: buildHashPolicy(key) }, ...cookieVariants(ownCookie(owner), context)];
    }
    case "queryParameter": {
      const queryParams = [[key.name, PRESENT]] as const;
      return [{ ...ANY, queryParams, hashPolicy: buildHashPolicy(key) }, ...cookieVariants(ownCookie(owner), context)];
    }
    default:
      return cookieVariants(ownCookie(owner), context);
  }
}

const PRESENT = { kind: "present" } as const;
const ANY = { headers: [], queryParams: [], setCookie: [] };

/** Who brings the cookie is placed by it. Who does not gets one whose value is hashed already now: from the request's id. */
function cookieVariants(key: CookieKey, context: RouteContext): readonly ShareVariant[] {
  // Envoy makes the cookie itself, but only after the cluster is chosen: this request's is drawn.
  if (context.mesh.proxyHeaders.requestIdDisabled) return [{ ...ANY, hashPolicy: buildHashPolicy({ ...key, ttlMs: key.ttlMs ?? 0 }) }];
  const given = { kind: "regex", value: cookiePattern(key.name) } as const;
  return [
    { ...ANY, headers: [["cookie", given]], hashPolicy: buildHashPolicy({ ...key, ttlMs: undefined }) },
    { ...ANY, hashPolicy: hashOfRequestId(), setCookie: [headerOption("set-cookie", setCookie(key), Append.APPEND_IF_EXISTS_OR_ADD)] },
  ];
}

function hashOfRequestId(): RouteAction_HashPolicy {
  const regexRewrite = { pattern: { regex: `^(.{${ID_LENGTH}}).*` }, substitution: "\\1" };
  return create(RouteAction_HashPolicySchema, {
    policySpecifier: { case: "header", value: { headerName: REQUEST_ID, regexRewrite } },
  } as never) as RouteAction_HashPolicy;
}

/** A cookie of the name with a value, in any place of any Cookie line. */
function cookiePattern(name: string): string {
  return `(.*[;,])? *${name.replace(/[^\w-]/g, "\\$&")}=("[^";]+"|[^";,][^;,]*)(.*)`;
}

function setCookie({ name, path, ttlMs, attributes }: CookieKey): string {
  const literal = (text: string): string => text.replaceAll("%", "%%");
  const age = ttlMs === undefined || ttlMs === 0 ? "" : `; Max-Age=${Math.floor(ttlMs / 1000)}`;
  const further = attributes.map(([attribute, value]) => (value === "" ? `; ${attribute}` : `; ${attribute}=${value}`)).join("");
  return `${literal(name)}=%REQ(${REQUEST_ID}):${ID_LENGTH}%${age}${literal(`; Path=${path}${further}; HttpOnly`)}`;
}

/** The same whatever the weights add up to, as a key's place is its hash modulo the total. Fits the sum that Envoy allows. */
const TOTAL = 1_000_000_000;
/** `use_hash_policy` is newer than the API we generate from: field 5 of WeightedCluster, a google.protobuf.BoolValue that is true. */
const USE_HASH_POLICY = { no: 5, wireType: 2, data: new Uint8Array([2, 8, 1]) };
const names = new Intl.Collator("en", { numeric: true });

/** By name, so that the order of writing does not count and the newest version usually stands last: only at its ends does a range never lose anybody. */
export function byShares(clusters: readonly WeightedCluster_ClusterWeight[]): WeightedCluster {
  const sorted = [...clusters].sort((a, b) => names.compare(a.name, b.name));
  const sum = sorted.reduce((total, { weight = 0 }) => total + weight, 0);
  let before = 0;
  const placed = sorted.map((cluster) => {
    const from = Math.round((before / sum) * TOTAL);
    before += cluster.weight ?? 0;
    return { ...cluster, weight: Math.round((before / sum) * TOTAL) - from };
  });
  const message = create(WeightedClusterSchema, { clusters: placed });
  message.$unknown = [USE_HASH_POLICY];
  return message;
}
