// Gives a Service its ClusterIP at admission, out of 10.96.0.0/16 as Kubernetes' default range. Stable twice over: a kept Service keeps
// its address, and a new one starts the search at a hash of its name, so the same mesh gets the same addresses in an empty store.
import type { StoredResource } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";

const SIZE = 65_534; // without the network's own address and the broadcast address

interface ServiceBody {
  readonly clusterIP?: string;
  readonly type?: string;
}

export interface ClusterIps {
  /** The body with the address in it. `taken` is the owner (`namespace/name`) of an address that was asked for by name. */
  assign(
    service: { namespace: string; name: string },
    body: Readonly<Record<string, unknown>>,
  ): { readonly body: Readonly<Record<string, unknown>>; readonly takenBy?: string };
}

/** For one write; `services` are those that are kept. */
export function createClusterIps(services: readonly StoredResource[]): ClusterIps {
  const owners = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const service of services) {
    const address = (service.spec as ServiceBody | undefined)?.clusterIP;
    if (address === undefined || address === "" || address === "None") continue;
    const owner = `${service.metadata.namespace}/${service.metadata.name}`;
    owners.set(address, owner);
    addresses.set(owner, address);
  }

  function claim(owner: string): string {
    const kept = addresses.get(owner);
    if (kept !== undefined) return kept;
    const start = hash(owner) % SIZE;
    for (let i = 0; i < SIZE; i++) {
      const offset = ((start + i) % SIZE) + 1;
      const address = `10.96.${offset >> 8}.${offset & 255}`;
      if (!owners.has(address)) return address;
    }
    throw new SerinError("CLUSTER_IPS_USED_UP", "all 65534 addresses of 10.96.0.0/16 belong to Services", {
      fix: "Delete Services that nobody uses.",
    });
  }

  return {
    assign({ namespace, name }, body) {
      const spec = (body["spec"] ?? {}) as ServiceBody;
      if (spec.clusterIP === "None" || spec.type === "ExternalName") return { body };
      const owner = `${namespace}/${name}`;
      const wanted = spec.clusterIP === undefined || spec.clusterIP === "" ? undefined : spec.clusterIP;
      const other = wanted === undefined ? undefined : owners.get(wanted);
      if (other !== undefined && other !== owner) return { body, takenBy: other };
      const address = wanted ?? claim(owner);
      owners.set(address, owner);
      return { body: { ...body, spec: { ...spec, clusterIP: address } } };
    },
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
