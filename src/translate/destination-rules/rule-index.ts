// Which DestinationRule a client uses for a service: client's namespace, service's namespace, root; within one the most specific host
// (Istio push_context.go setDestinationRules and destinationRule, sidecar.go DestinationRule).
import type { DestinationRule, HostIndex, MeshSettings, Service } from "../../model/index.ts";
import { createHostIndex } from "../../model/index.ts";
import { byAge, isVisible, selects } from "../names.ts";
import { sameElements } from "../stable.ts";
import { uniteDestinationRules } from "./to-destination-rule.ts";

/** Rules of one host that could not be made one: different selectors or different exportTo. */
type Rules = readonly DestinationRule[];

export interface Client {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RuleIndex {
  ruleFor(client: Client, service: Service): DestinationRule | undefined;
  /** Equal for clients of one namespace that every lookup treats alike: which selectors choose them. */
  selectionKey(client: Client): string;
}

/** Rules with a selector first, then by age. */
function inOrder(a: DestinationRule, b: DestinationRule): number {
  return Number(a.workloadSelector === undefined) - Number(b.workloadSelector === undefined) || byAge(a, b);
}

/** undefined = one has a selector, the other has none. */
function sameSelector(older: DestinationRule, younger: DestinationRule): boolean | undefined {
  const [a, b] = [older.workloadSelector, younger.workloadSelector];
  if (a === undefined || b === undefined) return a === b ? true : undefined;
  return selects(a, b) && selects(b, a);
}

/** Adds a rule to those of its host: into all older ones that it fits, and as one of its own unless the last of them took it whole. */
function addRule(rules: DestinationRule[], rule: DestinationRule): void {
  let apart = true;
  for (const [at, older] of rules.entries()) {
    const equal = sameElements(older.writtenExportTo, rule.writtenExportTo);
    const wider = older.writtenExportTo.length > 0 && older.writtenExportTo.every((name) => rule.writtenExportTo.includes(name));
    const same = sameSelector(older, rule);
    apart = !equal;
    if ((!equal && !wider) || same === false) {
      apart = true;
      continue;
    }
    if (same === true) apart = false;
    rules[at] = uniteDestinationRules(older, rule);
  }
  if (apart) rules.push(rule);
}

interface Pool {
  add(rule: DestinationRule): void;
  find(namespace: string, host: string): Rules | undefined;
}

function createPool(): Pool {
  const byNamespace = new Map<string, Map<string, DestinationRule[]>>();
  const indexes = new Map<string, HostIndex<Rules>>();
  return {
    add(rule) {
      let hosts = byNamespace.get(rule.namespace);
      if (hosts === undefined) byNamespace.set(rule.namespace, (hosts = new Map()));
      const rules = hosts.get(rule.host);
      if (rules === undefined) {
        hosts.set(rule.host, [rule]);
        return;
      }
      addRule(rules, rule);
    },
    find(namespace, host) {
      const hosts = byNamespace.get(namespace);
      if (hosts === undefined) return undefined;
      let index = indexes.get(namespace);
      if (index === undefined) indexes.set(namespace, (index = createHostIndex<Rules>(hosts)));
      return index.mostSpecific(host);
    },
  };
}

/** Of rules of one host: one that selects the client, else the last plain one. A rule that selects others is still the end of the search. */
function choose(rules: Rules, client: Client): DestinationRule | undefined {
  let plain: DestinationRule | undefined;
  for (const rule of rules) {
    if (rule.workloadSelector === undefined) plain = rule;
    else if (rule.namespace === client.namespace && selects(rule.workloadSelector, client.labels)) return rule;
  }
  return plain;
}

export function buildRuleIndex(rules: readonly DestinationRule[], settings: MeshSettings): RuleIndex {
  const local = createPool();
  const exported = createPool();
  const rootLocal = createPool();
  const selecting = new Map<string, DestinationRule[]>();
  for (const rule of [...rules].sort(inOrder)) {
    if (isVisible(rule.exportTo, rule.namespace)) local.add(rule);
    const isPrivate = rule.exportTo.length === 1 && rule.exportTo[0] === rule.namespace;
    if (!isPrivate) exported.add(rule);
    else if (rule.namespace === settings.rootNamespace) rootLocal.add(rule);
    if (rule.workloadSelector !== undefined) {
      const list = selecting.get(rule.namespace);
      if (list === undefined) selecting.set(rule.namespace, [rule]);
      else list.push(rule);
    }
  }

  function findExported(owner: string, service: Service, client: Client): Rules | undefined {
    const visible = exported.find(owner, service.hostname)?.filter((rule) => isVisible(rule.exportTo, client.namespace));
    return visible === undefined || visible.length === 0 ? undefined : visible;
  }

  /** What clients without a rule of their own find, for services whose rules are for everybody: looked up once per service. */
  const common = new WeakMap<Service, { readonly rule: DestinationRule | undefined }>();

  function commonRule(service: Service): { readonly rule: DestinationRule | undefined } | undefined {
    const known = common.get(service);
    if (known !== undefined) return known;
    for (const owner of [service.namespace, settings.rootNamespace]) {
      const rules = exported.find(owner, service.hostname);
      if (rules === undefined) continue;
      const [rule] = rules;
      if (rules.length !== 1 || rule === undefined || !rule.exportTo.includes("*")) return undefined;
      return remember(service, rule);
    }
    return remember(service, undefined);
  }

  function remember(service: Service, rule: DestinationRule | undefined): { readonly rule: DestinationRule | undefined } {
    const found = { rule };
    common.set(service, found);
    return found;
  }

  return {
    ruleFor(client, service) {
      const root = settings.rootNamespace;
      const own = (client.namespace === root ? rootLocal : local).find(client.namespace, service.hostname);
      if (own !== undefined) return choose(own, client);
      const shared = commonRule(service);
      if (shared !== undefined) return shared.rule;
      const found = findExported(service.namespace, service, client) ?? findExported(root, service, client);
      return found === undefined ? undefined : choose(found, client);
    },
    selectionKey(client) {
      const list = selecting.get(client.namespace);
      if (list === undefined) return "";
      return list
        .map((rule) => (rule.workloadSelector !== undefined && selects(rule.workloadSelector, client.labels) ? "1" : "0"))
        .join("");
    },
  };
}
