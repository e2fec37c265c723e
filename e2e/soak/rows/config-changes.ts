// Rows 1 and 2: weights that move ten times a second, and subsets that come and go in the same step as the routes that use them.
import http from "node:http";
import { eventually, type Mesh } from "../../mesh.ts";
import { HOST, onStage, type Shape, withBackends } from "../stage.ts";
import { failures, startOpenLoad } from "../open-load.ts";
import { atMost, noFailure, type SoakRow, told } from "../row.ts";

/** The mark that the config in force sends back. */
export function markOf(mesh: Mesh): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port: mesh.gatewayPort, headers: { host: HOST }, agent: false });
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? String(response.headers["x-mark"]) : undefined);
    });
    request.on("error", () => resolve(undefined));
  });
}

export function live(mesh: Mesh, mark: string): Promise<boolean> {
  return eventually(`config ${mark} is in force`, async () => (await markOf(mesh)) === mark);
}

export const configChanges: SoakRow = {
  number: 1,
  title: "routes change ten times a second under load",
  run: ({ plane, pick }) =>
    withBackends(2, "echo", (backends) => {
      const shape = (mark: string): Shape => ({ ports: backends.map((b) => b.port), mark });
      return onStage(plane, shape("start"), async ({ mesh, set }) => {
        await live(mesh, "start");
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: 300 });
        const waits: number[] = [];
        const changes = pick(600, 40);
        for (let i = 0; i < changes; i++) {
          const from = performance.now();
          set(shape(`m${i}`));
          await live(mesh, `m${i}`);
          waits.push(performance.now() - from);
          await new Promise((done) => setTimeout(done, Math.max(0, 100 - waits[i]!)));
        }
        const result = await load.stop();
        waits.sort((a, b) => a - b);
        return [
          told("requests", result.requests),
          noFailure("failed", failures(result)),
          atMost("change in force, p99", waits[Math.floor(waits.length * 0.99)] ?? 0, 2000, " ms"),
        ];
      });
    }),
};
