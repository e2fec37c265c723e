// serin status: control plane, gateway, Deployments and pods at a glance. Exit 0 when all is ready, 1 when not.
import { type PodState, readRuntimeState, type RuntimeState } from "../../admin-api/index.ts";
import { SerinError } from "../../kit/index.ts";
import type { AddCommand, Cli, CommonOptions } from "../cli.ts";
import { isSettled, unsettled } from "../up/settled.ts";

export const addStatusCommand: AddCommand = (program, cli) => {
  cli
    .common(program.command("status").description("what runs in the mesh; exit 1 when something is not ready"))
    .action(async (options: CommonOptions) => {
      const { file, paths, client } = cli.mesh(options);
      const state = readRuntimeState(paths);
      if (state === undefined) throw new SerinError("MESH_STARTING", "the mesh is just starting", { fix: "Try again in a second." });
      const control = await client.status().catch(() => undefined);
      const ready = isSettled(state, undefined) && control !== undefined;
      if (options.output === "json") {
        const { token: _, ...mesh } = file;
        cli.out.json({
          mesh,
          ready,
          controlPlane: { ...state.controlPlane, ...control },
          deployments: state.deployments,
          pods: state.pods,
        });
      } else {
        const seconds = Math.round((Date.now() - Date.parse(file.startedAt)) / 1000);
        cli.out.print(`Mesh ${file.name}, up for ${seconds} s, data plane ${file.proxy}, gateway ${file.gatewayUrl}`);
        const issues = control?.issues;
        cli.out.print(
          control === undefined
            ? cli.out.style("red", "Control plane does not answer; proxies go on with what they have.")
            : `Control plane: revision ${control.revision}, ${control.proxies} proxies, ${issues?.errors ?? 0} errors and ${issues?.warnings ?? 0} warnings in the config, ${state.controlPlane.restarts} restarts`,
        );
        cli.out.print("");
        cli.out.table(podRows(state, cli));
        for (const line of unsettled(state)) cli.out.print(cli.out.style("yellow", line));
      }
      if (!ready) cli.exit(1);
    });
};

function podRows(state: RuntimeState, cli: Cli): string[][] {
  const rows = [["NAMESPACE", "POD", "READY", "STATUS", "RESTARTS", "SIDECAR", "PORTS", "AGE"]];
  for (const pod of state.pods) {
    const restarts = pod.containers.reduce((sum, c) => sum + c.restarts, 0) + (pod.sidecar?.restarts ?? 0);
    rows.push([
      pod.namespace,
      pod.name,
      pod.ready ? cli.out.style("green", "yes") : cli.out.style("red", "no"),
      statusOf(pod),
      String(restarts),
      pod.owner === undefined ? "gateway" : pod.sidecar === undefined ? "no" : pod.sidecar.state,
      pod.ports.map((port) => `${port.containerPort}→${port.meshPort}`).join(","),
      `${Math.round((Date.now() - Date.parse(pod.startedAt)) / 1000)}s`,
    ]);
  }
  return rows;
}

function statusOf(pod: PodState): string {
  const bad = pod.containers.find((container) => container.state === "backing-off");
  return bad === undefined ? pod.phase : `${bad.name}: ${bad.reason ?? bad.state}`;
}
