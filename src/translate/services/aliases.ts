// Services of type ExternalName are other names of a service (Istio model/push_context.go resolveServiceAliases): through any number of them to
// the one that is meant. A name that is no service stands for itself, outside the mesh.
import type { Service } from "../../model/index.ts";
import { compareText } from "../names.ts";

interface Aliased {
  readonly hostname: string;
  readonly namespace: string;
  /** undefined = round in a circle: nothing is meant, as in DNS. */
  readonly target: string | undefined;
}

function targetOf(alias: Service, next: ReadonlyMap<string, string>): string | undefined {
  const seen = new Set([alias.hostname]);
  let target = alias.aliasOf;
  while (target !== undefined) {
    if (seen.has(target)) return undefined;
    seen.add(target);
    const further = next.get(target);
    if (further === undefined) return target;
    target = further;
  }
  return undefined;
}

const variants = new WeakMap<Service, Map<string, Service>>();

function variant(of: Service, key: string, make: () => Service): Service {
  let known = variants.get(of);
  if (known === undefined) variants.set(of, (known = new Map()));
  let service = known.get(key);
  if (service === undefined) known.set(key, (service = Object.freeze(make())));
  return service;
}

/** The same service with only these aliases: the same object each time. */
export function aliasesOnly(service: Service, aliases: readonly string[]): Service {
  return variant(service, aliases.join(), () => ({ ...service, aliases }));
}

/** All services, those that an alias means with their aliases, in order. */
export function resolveAliases(services: readonly Service[]): readonly Service[] {
  const own = services.filter((service) => service.resolution === "ALIAS");
  if (own.length === 0) return services;
  const next = new Map(own.map((service) => [service.hostname, service.aliasOf ?? ""]));
  const found = own
    .map(({ hostname, namespace }, index): Aliased => ({ hostname, namespace, target: targetOf(own[index] as Service, next) }))
    .sort((a, b) => compareText(a.namespace, b.namespace) || compareText(a.hostname, b.hostname));
  const byTarget = Map.groupBy(found, ({ target }) => target);
  const targets = new Map(found.map(({ hostname, target }) => [hostname, target]));
  return services.map((service) => {
    if (service.resolution === "ALIAS") {
      const target = targets.get(service.hostname);
      if (target === service.aliasOf) return service;
      const { aliasOf: _, ...rest } = service;
      return variant(service, target ?? "", () => (target === undefined ? rest : { ...rest, aliasOf: target }));
    }
    const aliases = byTarget.get(service.hostname)?.map(({ hostname }) => hostname);
    return aliases === undefined ? service : aliasesOnly(service, aliases);
  });
}
