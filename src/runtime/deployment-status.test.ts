import { expect, test } from "vitest";
import type { DeploymentState, ResourceKey, StoredResource } from "../admin-api/index.ts";
import { createDeploymentStatuses } from "./deployment-status.ts";

test("writes what changed, once, and again what could not be written", async () => {
  const written: string[] = [];
  let down = false;
  let state: DeploymentState = { name: "d", namespace: "n", desired: 3, current: 2, ready: 1, updated: 2, updatedReady: 1 };
  const statuses = createDeploymentStatuses({
    deployments: () => [state],
    client: {
      async putStatus(key: ResourceKey, status: unknown) {
        await Promise.resolve();
        if (down) throw new Error("down");
        written.push(`${key.namespace}/${key.name} ${JSON.stringify(status)}`);
        return {} as StoredResource;
      },
    },
  });
  const update = async (): Promise<void> => {
    statuses.update();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  await update();
  await update();
  expect(written).toEqual(['n/d {"replicas":2,"updatedReplicas":2,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":2}']);
  down = true;
  state = { ...state, ready: 3, current: 3 };
  await update();
  down = false;
  await update();
  expect(written.length).toBe(2);
});
