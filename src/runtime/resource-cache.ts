// What the runtime knows of the store: the kinds it acts on, kept current by the admin API's watch.
import { type AdminClient, startWatch, type StoredResource } from "../admin-api/index.ts";
import type { ServiceAddress } from "./pod-env.ts";

export interface ResourceCache {
  /** "" until the first list is in. */
  version(): string;
  list(kind: string): readonly StoredResource[];
  find(kind: string, namespace: string, name: string): StoredResource | undefined;
  services(namespace: string): readonly ServiceAddress[];
  stop(): void;
}

const KINDS = new Set(["Namespace", "Deployment", "Service", "ConfigMap", "Secret", "ProxyConfig", "Gateway"]);

export function startResourceCache(options: { readonly client: AdminClient; readonly onChange: () => void }): ResourceCache {
  let resources = new Map<string, StoredResource>();
  let version = "";
  const watch = startWatch({
    client: options.client,
    handlers: {
      onList(items, resourceVersion) {
        resources = new Map(items.filter((item) => KINDS.has(item.kind)).map((item) => [keyOf(item), item]));
        version = resourceVersion;
        options.onChange();
      },
      onEvent({ type, object, resourceVersion }) {
        version = resourceVersion;
        if (KINDS.has(object.kind)) {
          if (type === "DELETED") resources.delete(keyOf(object));
          else resources.set(keyOf(object), object);
        }
        options.onChange();
      },
    },
  });

  const find = (kind: string, namespace: string, name: string): StoredResource | undefined => resources.get(`${kind}/${namespace}/${name}`);
  return {
    version: () => version,
    list: (kind) => [...resources.values()].filter((resource) => resource.kind === kind),
    find,
    services(namespace) {
      return [...resources.values()]
        .filter((resource) => resource.kind === "Service" && resource.metadata.namespace === namespace)
        .map(({ metadata, spec }) => {
          const { clusterIP = "", ports = [], selector = {} } = (spec ?? {}) as Partial<ServiceAddress>;
          return { name: metadata.name, clusterIP, ports, selector };
        });
    },
    stop: () => watch.stop(),
  };
}

function keyOf(resource: StoredResource): string {
  const { namespace, name } = resource.metadata;
  return `${resource.kind}/${namespace}/${name}`;
}
