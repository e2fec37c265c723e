// Rows 1 and 2: weights that move ten times a second, and subsets that come and go in the same step as the routes that use them.
import { quantiles } from "../../../bench/measure.ts";
import { failuresOf } from "../../load.ts";
import { sleep } from "../../mesh.ts";
import { startOpenLoad } from "../open-load.ts";
import { atLeast, atMost, noFailure, type SoakRow, told } from "../row.ts";
import { HOST, onStage, type Shape, withBackends } from "../stage.ts";

const SUBSETS = ["v1", "v2"];

function split(ports: readonly number[], v2: number, mark: string): Shape {
  const weights = [
    { subset: "v1", weight: 100 - v2 },
    { subset: "v2", weight: v2 },
  ];
  return { ports, subsets: SUBSETS, routes: weights.filter(({ weight }) => weight > 0), mark };
}

export const configChanges: SoakRow = {
  number: 1,
  title: "weights change ten times a second under load",
  run: (context) =>
    withBackends(2, "echo", (backends) => {
      const ports = backends.map(({ port }) => port);
      return onStage(context, split(ports, 50, "start"), async ({ mesh, set, live }) => {
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: 300 });
        const waits: number[] = [];
        const steps = [10, 25, 50, 75, 100, 0];
        for (let i = 0; i < context.pick(600, 40); i++) {
          const from = performance.now();
          set(split(ports, steps[i % steps.length]!, `m${i}`));
          await live(`m${i}`);
          waits.push(performance.now() - from);
          await sleep(Math.max(0, 100 - waits[i]!));
        }
        const result = await load.stop();
        return [
          told("requests", result.requests),
          noFailure("failed", failuresOf(result)),
          told("change in force, median", `${quantiles(waits).p50Ms.toFixed(0)} ms`),
          atMost("change in force, p99", quantiles(waits).p99Ms, context.pick(500, 2000), " ms"),
          atMost("change in force, longest", Math.max(...waits), 2000, " ms"),
        ];
      });
    }),
};

export const subsetsComeAndGo: SoakRow = {
  number: 2,
  title: "a subset is added and used in one step, and both are removed in one, under load",
  run: (context) =>
    withBackends(2, "echo", (backends) => {
      const ports = backends.map(({ port }) => port);
      const without = (mark: string): Shape => ({ ports, subsets: ["v1"], routes: [{ subset: "v1", weight: 100 }], mark });
      return onStage(context, without("start"), async ({ mesh, set, live }) => {
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: 300 });
        const rounds = context.pick(200, 25);
        for (let i = 0; i < rounds; i++) {
          // The whole route moves, so that a subset that is not there yet would be seen by every request.
          set(split(ports, i % 2 === 0 ? 100 : 50, `with${i}`));
          await live(`with${i}`);
          set(without(`without${i}`));
          await live(`without${i}`);
        }
        const result = await load.stop();
        return [
          told("rounds", rounds),
          told("requests", result.requests),
          noFailure("failed", failuresOf(result)),
          atLeast("answers of the subset", result.byBackend.get("b2") ?? 0, 1),
        ];
      });
    }),
};
