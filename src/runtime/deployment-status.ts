// Status of Deployments in the store, as Kubernetes' controller writes it: replicas wanted, there, new and ready.
import { isDeepStrictEqual } from "node:util";
import type { AdminClient, DeploymentState } from "../admin-api/index.ts";

export interface DeploymentStatuses {
  /** Writes what changed; a write that fails is tried again with the next change. */
  update(): void;
}

export function createDeploymentStatuses(options: {
  readonly client: Pick<AdminClient, "putStatus">;
  readonly deployments: () => readonly DeploymentState[];
}): DeploymentStatuses {
  const written = new Map<string, object>();
  let busy = false;
  let again = false;

  async function run(): Promise<void> {
    busy = true;
    do {
      again = false;
      for (const deployment of options.deployments()) await write(deployment);
    } while (again);
    busy = false;
  }

  async function write(deployment: DeploymentState): Promise<void> {
    const { namespace, name } = deployment;
    const status = toStatus(deployment);
    const key = `${namespace}/${name}`;
    if (isDeepStrictEqual(written.get(key), status)) return;
    try {
      await options.client.putStatus({ kind: "Deployment", namespace, name }, status);
      written.set(key, status);
    } catch {
      // Deleted meanwhile, or the control plane is being restarted.
      written.delete(key);
    }
  }

  return {
    update() {
      again = true;
      if (!busy) void run();
    },
  };
}

function toStatus({ desired, current, ready, updated }: DeploymentState): object {
  return {
    replicas: current,
    updatedReplicas: updated,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, desired - ready),
  };
}
