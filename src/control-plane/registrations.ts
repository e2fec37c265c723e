// Workloads that register themselves: a proxy whose node names a WorkloadGroup (metadata AUTO_REGISTER_GROUP) has a WorkloadEntry of that group's
// template for as long as it is connected, and Istio's agent says how its workload is (Istio pilot/pkg/autoregistration).
import type { ResourceKey, StoredResource } from "../admin-api/index.ts";
import { type Clock, err, type Logger, ok, type Result } from "../kit/index.ts";
import type { NodeInput, ProxyIdentity } from "../model/index.ts";
import type { Store, StoreObject } from "./store/store.ts";

export interface Registrations {
  /** A stream begins; `isLocal`: on this machine. The function is for its end. An error refuses it: what it wants to be is not known. */
  connect(of: { readonly node: NodeInput; readonly identity: ProxyIdentity; readonly isLocal: boolean }): Result<() => void>;
  /** What the agent of this node says of its workload; undefined: it is well. */
  health(nodeId: string, error: string | undefined): void;
  stop(): void;
}

/** A proxy that comes back meanwhile finds its workload where it was. */
const GRACE_MS = 10_000;
const GROUP = "istio.io/autoRegistrationGroup";
const CONNECTED_AT = "istio.io/connectedAt";
const HEALTH_CHECKED = "proxy.istio.io/health-checks-enabled";
const MAX_NAME = 253;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return fields(value) as Readonly<Record<string, string>>;
}

function entryName(group: string, { ipAddresses, scope }: ProxyIdentity): string {
  const parts = [group, (ipAddresses[0] ?? "").replaceAll(":", "-"), ...(scope.network === "" ? [] : [scope.network])];
  return parts.join("-").slice(-MAX_NAME);
}

function localityText(locality: NodeInput["locality"]): string {
  const parts = [locality?.region ?? "", locality?.zone ?? "", locality?.subZone ?? locality?.sub_zone ?? ""];
  while (parts.at(-1) === "") parts.pop();
  return parts.join("/");
}

/** The node's labels beat the group's, and those the template's. */
function toEntry(
  group: StoredResource,
  node: NodeInput,
  identity: ProxyIdentity,
): StoreObject["body"] & { readonly labels: Readonly<Record<string, string>> } {
  const { template, metadata } = fields(group.spec);
  const own = fields(node.metadata);
  const labels = { ...texts(fields(template)["labels"]), ...texts(fields(metadata)["labels"]), ...texts(own["LABELS"]) };
  const locality = localityText(node.locality);
  const { network } = identity.scope;
  const spec = {
    ...fields(template),
    address: identity.ipAddresses[0],
    labels,
    ...(network === "" ? {} : { network }),
    ...(locality === "" ? {} : { locality }),
  };
  return { spec, labels };
}

export function createRegistrations(options: { readonly store: Store; readonly clock: Clock; readonly logger: Logger }): Registrations {
  const { store, clock, logger } = options;
  /** Streams of each entry, by its name. */
  const streams = new Map<string, Set<object>>();
  const leaving = new Map<string, () => void>();
  const entryOfNode = new Map<string, ResourceKey>();

  function leaveLater(key: ResourceKey): void {
    const id = `${key.namespace}/${key.name}`;
    leaving.get(id)?.();
    leaving.set(
      id,
      clock.after(GRACE_MS, () => {
        leaving.delete(id);
        if (store.get(key) === undefined) return;
        store.write([{ op: "delete", key }], "api");
        logger.log("info", "a workload left", { entry: id });
      }),
    );
  }

  function register(group: StoredResource, key: ResourceKey, of: { readonly node: NodeInput; readonly identity: ProxyIdentity }): void {
    const { labels, ...body } = toEntry(group, of.node, of.identity);
    const probed = fields(fields(fields(of.node.metadata)["PROXY_CONFIG"])["readinessProbe"]);
    const annotations = {
      ...texts(fields(fields(group.spec)["metadata"])["annotations"]),
      [GROUP]: group.metadata.name,
      [CONNECTED_AT]: new Date(clock.wall()).toISOString(),
      ...(Object.keys(probed).length === 0 ? {} : { [HEALTH_CHECKED]: "true" }),
    };
    const { namespace, name } = key;
    const object: StoreObject = {
      apiVersion: group.apiVersion,
      kind: key.kind,
      metadata: { namespace, name, labels, annotations },
      body,
    };
    store.write([{ op: "put", object }], "api");
    logger.log("info", "a workload registered", { entry: `${namespace}/${name}`, group: group.metadata.name });
  }

  // Those of an earlier run have the usual time to come back.
  for (const { metadata } of store.list({ kind: "WorkloadEntry" })) {
    if (metadata.annotations?.[GROUP] !== undefined)
      leaveLater({ kind: "WorkloadEntry", namespace: metadata.namespace, name: metadata.name });
  }

  return {
    connect({ node, identity, isLocal }) {
      const name = fields(node.metadata)["AUTO_REGISTER_GROUP"];
      if (typeof name !== "string" || name === "") return ok(() => {});
      const { namespace } = identity;
      // Whoever names a group takes its traffic.
      if (!isLocal)
        return err("xDS streams are not authenticated yet: a workload of another machine needs a WorkloadEntry that somebody wrote");
      const group = store.get({ kind: "WorkloadGroup", namespace, name });
      if (group === undefined) return err(`there is no WorkloadGroup ${namespace}/${name} to register with`);
      const key: ResourceKey = { kind: "WorkloadEntry", namespace, name: entryName(name, identity) };
      const id = `${namespace}/${key.name}`;
      const known = store.get(key);
      if (known !== undefined && known.metadata.annotations?.[GROUP] === undefined)
        return err(`the WorkloadEntry ${id} is not one that registered itself`);
      leaving.get(id)?.();
      leaving.delete(id);
      register(group, key, { node, identity });
      const stream = {};
      const open = streams.get(id) ?? new Set();
      streams.set(id, open.add(stream));
      entryOfNode.set(node.id, key);
      return ok(() => {
        if (!open.delete(stream) || open.size > 0) return;
        streams.delete(id);
        entryOfNode.delete(node.id);
        leaveLater(key);
      });
    },
    health(nodeId, error) {
      const key = entryOfNode.get(nodeId);
      if (key === undefined || store.get(key)?.metadata.annotations?.[HEALTH_CHECKED] !== "true") return;
      const condition = {
        type: "Healthy",
        status: error === undefined ? "True" : "False",
        ...(error === undefined ? {} : { message: error }),
      };
      store.putStatus(key, { conditions: [condition] });
    },
    stop() {
      for (const cancel of leaving.values()) cancel();
      leaving.clear();
    },
  };
}
