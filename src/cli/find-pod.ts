// A pod as people name it: its name, NAMESPACE/NAME, or the name of its Deployment.
import type { PodState, RuntimeState } from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";

export function findPod(state: RuntimeState, asked: string, namespace?: string): PodState {
  const [first = "", second] = asked.replace(/^(deploy|deployment|pod)\//, "").split("/");
  const name = second ?? first;
  const inNamespace = second === undefined ? namespace : first;
  const pods = state.pods.filter((pod) => inNamespace === undefined || pod.namespace === inNamespace);
  const found =
    pods.find((pod) => pod.name === name) ??
    pods.find((pod) => pod.owner?.name === name && !pod.stopping) ??
    (name === "gateway" ? pods.find((pod) => pod.owner === undefined) : undefined);
  if (found !== undefined) return found;
  const names = state.pods.map((pod) => `${pod.namespace}/${pod.name}`).join(", ");
  throw new SerinError("POD_NOT_FOUND", `there is no pod or Deployment ${asked}`, { fix: `There are ${names === "" ? "none" : names}.` });
}
