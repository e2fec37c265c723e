// Small configs for tests: services with subsets, their endpoints, one listener, one route configuration, a virtual host per service.
import { hash } from "node:crypto";
import { type ResourceSet, TYPE_URL, type XdsResource, type XdsResources } from "../../kit/index.ts";

/** Virtual hosts and the clusters each sends to. */
export type Plan = Readonly<Record<string, readonly string[]>>;

export interface PlanOptions {
  /** Clusters beside those that hosts name. */
  readonly clusters?: readonly string[];
  readonly salt?: string;
  readonly routes?: readonly string[];
  /** Clusters whose content differs from the usual. */
  readonly changed?: readonly string[];
}

export function toResource(name: string, text: string, clusters: readonly string[] = []): XdsResource {
  const references = clusters.map((cluster) => ({ typeUrl: TYPE_URL.cluster, name: cluster }));
  return { name, version: hash("sha256", `${name}\0${text}`, "hex").slice(0, 12), bytes: Buffer.from(`${name}=${text}`), references };
}

export function toSet(list: readonly XdsResource[]): ResourceSet {
  return new Map(list.map((resource) => [resource.name, resource]));
}

/** Hosts are named `ROUTE/HOST`; the text of a host is its clusters, so that a client can read them. */
export function planned(plan: Plan, options: PlanOptions = {}): XdsResources {
  const clusters = [...new Set([...Object.values(plan).flat(), ...(options.clusters ?? [])])].sort();
  const routes = [...new Set([...Object.keys(plan).map((name) => name.split("/")[0] ?? ""), ...(options.routes ?? [])])].sort();
  const salt = options.salt ?? "";
  return {
    byType: new Map([
      [TYPE_URL.cluster, toSet(clusters.map((name) => toResource(name, options.changed?.includes(name) === true ? "changed" : "cluster")))],
      [TYPE_URL.endpoint, toSet(clusters.map((name) => toResource(name, `endpoints${salt}`)))],
      [TYPE_URL.listener, toSet(routes.map((name) => toResource(`listener-${name}`, name)))],
      [TYPE_URL.route, toSet(routes.map((name) => toResource(name, "vhds")))],
      [TYPE_URL.virtualHost, toSet(Object.entries(plan).map(([name, to]) => toResource(name, to.join(","), to)))],
    ]),
  };
}
