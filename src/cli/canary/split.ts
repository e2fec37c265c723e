// Sets the share of subsets in a VirtualService: every route that names one of the asked subsets together with another subset of the
// same host gets the asked weights, and the other subsets share what is left as they did before. Everything else stays as it is.
import type { StoredResource } from "../../admin-api/index.ts";
import { err, ok, type Result } from "../../kit/index.ts";

export interface CanaryTarget {
  /** A host (`demo4`, `demo4.test1`, full name) or a VirtualService's name. */
  readonly name: string;
  readonly namespace: string | undefined;
}

export type Weights = ReadonlyMap<string, number>;

export interface RouteSplit {
  /** `http[0]`, with the route's name where it has one. */
  readonly route: string;
  readonly host: string;
  readonly before: readonly { readonly subset: string; readonly weight: number }[];
  readonly after: readonly { readonly subset: string; readonly weight: number }[];
}

interface Destination {
  readonly destination: { readonly host: string; readonly subset?: string };
  readonly weight?: number;
}

interface Route {
  readonly name?: string;
  readonly route?: readonly Destination[];
}

type Spec = { readonly [protocol in "http" | "tls" | "tcp"]?: readonly Route[] };

/** `v2=25` or `v1=80 v2=20`. */
export function parseWeights(args: readonly string[]): Result<Weights> {
  const weights = new Map<string, number>();
  for (const arg of args) {
    const match = /^([^=]+)=(\d{1,3})%?$/.exec(arg);
    const [, subset = "", weight = ""] = match ?? [];
    if (match === null || Number(weight) > 100) return err(`"${arg}" is not SUBSET=PERCENT with a whole number from 0 to 100`);
    if (weights.has(subset)) return err(`subset ${subset} is given twice`);
    weights.set(subset, Number(weight));
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  if (total > 100) return err(`the weights add up to ${total}, more than 100`);
  return weights.size === 0 ? err("no SUBSET=PERCENT given") : ok(weights);
}

/** The changed document and what changed; no splits when no route of it names the subsets. */
export function setWeights(
  virtualService: StoredResource,
  options: { readonly target: CanaryTarget; readonly weights: Weights },
): Result<{ readonly document: StoredResource; readonly splits: readonly RouteSplit[] }> {
  const spec = (virtualService.spec ?? {}) as Spec;
  const byName = matchName(virtualService, options.target);
  const splits: RouteSplit[] = [];
  const changed: Record<string, readonly Route[]> = {};
  for (const protocol of ["http", "tls", "tcp"] as const) {
    const routes = spec[protocol];
    if (routes === undefined) continue;
    const next: Route[] = [];
    for (const [i, route] of routes.entries()) {
      const label = `${protocol}[${i}]${route.name === undefined ? "" : ` (${route.name})`}`;
      const result = splitRoute(route, {
        label,
        weights: options.weights,
        hostMatches: (host) => byName || matchHost(host, virtualService.metadata.namespace, options.target),
      });
      if (!result.ok) return err(`${virtualService.metadata.namespace}/${virtualService.metadata.name} ${label}: ${result.error}`);
      next.push(result.value.route);
      if (result.value.split !== undefined) splits.push(result.value.split);
    }
    changed[protocol] = next;
  }
  return ok({ document: { ...virtualService, spec: { ...spec, ...changed } }, splits });
}

function splitRoute(
  route: Route,
  options: { readonly label: string; readonly weights: Weights; readonly hostMatches: (host: string) => boolean },
): Result<{ readonly route: Route; readonly split?: RouteSplit }> {
  const destinations = route.route ?? [];
  const host = destinations.find(
    ({ destination }) => options.weights.has(destination.subset ?? "") && options.hostMatches(destination.host),
  )?.destination.host;
  if (host === undefined || destinations.length < 2) return ok({ route });
  const mine = (d: Destination): boolean => d.destination.host === host && d.destination.subset !== undefined;
  const missing = [...options.weights.keys()].filter((subset) => !destinations.some((d) => mine(d) && d.destination.subset === subset));
  // A route that lacks one of the subsets is not meant.
  if (missing.length > 0) return ok({ route });
  const foreign = destinations.filter((d) => !mine(d)).reduce((sum, d) => sum + (d.weight ?? 0), 0);
  if (foreign > 0) return err("it also sends to other hosts, whose share this command does not change; edit the weights by hand");
  const after = distribute(destinations, options.weights, mine);
  if (!after.ok) return after;
  const next = destinations.map((d, i) => ({ ...d, weight: after.value[i] ?? 0 }));
  const show = (list: readonly Destination[]) =>
    list.filter(mine).map((d) => ({ subset: d.destination.subset ?? "", weight: d.weight ?? 0 }));
  return ok({ route: { ...route, route: next }, split: { route: options.label, host, before: show(destinations), after: show(next) } });
}

/** The weights in order. What is left goes to the other subsets as it was shared among them, evenly when they had nothing; rounded to make 100. */
function distribute(destinations: readonly Destination[], weights: Weights, mine: (d: Destination) => boolean): Result<readonly number[]> {
  const asked = destinations.map((d) => (mine(d) ? weights.get(d.destination.subset ?? "") : 0));
  const rest = 100 - asked.reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
  const others = asked.flatMap((weight, i) => (weight === undefined ? [i] : []));
  if (others.length === 0)
    return rest === 0
      ? ok(asked.map((weight) => weight ?? 0))
      : err(`the weights add up to ${100 - rest}, and there is no other subset to take the rest`);
  const old = others.map((i) => destinations[i]?.weight ?? 0);
  const oldTotal = old.reduce((sum, weight) => sum + weight, 0);
  const exact = old.map((weight) => (oldTotal === 0 ? rest / others.length : (rest * weight) / oldTotal));
  const shares = exact.map(Math.floor);
  // Largest remainder: the last units go where rounding down took most.
  const order = exact
    .map((value, i) => ({ i, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  const units = rest - shares.reduce((sum, share) => sum + share, 0);
  for (const { i } of order.slice(0, units)) shares[i] = (shares[i] ?? 0) + 1;
  const result = asked.map((weight) => weight ?? 0);
  for (const [at, i] of others.entries()) result[i] = shares[at] ?? 0;
  return ok(result);
}

function matchName(virtualService: StoredResource, target: CanaryTarget): boolean {
  const [namespace, name] = target.name.includes("/") ? target.name.split("/", 2) : [target.namespace, target.name];
  return virtualService.metadata.name === name && (namespace === undefined || virtualService.metadata.namespace === namespace);
}

/** `host` as the VirtualService writes it, against the target as the user does; either may be the short form. */
function matchHost(host: string, namespace: string, target: CanaryTarget): boolean {
  const full = host.includes(".") ? host : `${host}.${namespace}.svc.cluster.local`;
  const [name, inNamespace] = full.split(".");
  if (target.namespace !== undefined && !target.name.includes(".") && inNamespace !== target.namespace) return false;
  return [full, host, name, `${name}.${inNamespace}`, `${name}.${inNamespace}.svc`].includes(target.name);
}
