// Rows 6, 7 and 8: endpoints that die, that hang, and that all fail.
import { failuresOf } from "../../load.ts";
import { eventually, sleep } from "../../mesh.ts";
import { share, startOpenLoad } from "../open-load.ts";
import { atLeast, atMost, noFailure, type SoakRow, told } from "../row.ts";
import { HOST, onStage, startBackendProcess, withBackends } from "../stage.ts";

const RATE = 200;
const OUTLIERS =
  "outlierDetection: {consecutive5xxErrors: 3, consecutiveGatewayErrors: 3, interval: 1s, baseEjectionTime: 30s, maxEjectionPercent: 67}";

export const endpointDies: SoakRow = {
  number: 6,
  title: "one of three endpoints is killed, with retries of what it cut off",
  run: (context) =>
    withBackends(3, "echo", (backends) => {
      const ports = backends.map((b) => b.port);
      const rule = 'retries: {attempts: 2, retryOn: "connect-failure,refused-stream,reset"}';
      return onStage(context, { ports, trafficPolicy: OUTLIERS, rule }, async ({ mesh }) => {
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: RATE });
        await sleep(1000);
        backends[1]?.kill("SIGKILL");
        await sleep(context.pick(20_000, 4000));
        const result = await load.stop();
        return [told("requests", result.requests), atLeast("good", share(result) * 100, 99.99, " %"), told("failed", failuresOf(result))];
      });
    }),
};

export const endpointHangs: SoakRow = {
  number: 7,
  title: "one of three endpoints stops answering (SIGSTOP)",
  run: (context) =>
    withBackends(3, "echo", (backends) => {
      const ports = backends.map((b) => b.port);
      const rule = 'retries: {attempts: 2, perTryTimeout: 250ms, retryOn: "5xx,connect-failure,reset"}';
      return onStage(context, { ports, trafficPolicy: OUTLIERS, rule }, async ({ mesh }) => {
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: RATE });
        await sleep(1000);
        backends[1]?.kill("SIGSTOP");
        const from = performance.now();
        await eventually(
          "the endpoint is ejected",
          async () => /ejections_active: [1-9]/.test(await mesh.proxyAdmin("/stats?filter=ejections_active")),
          15_000,
        );
        const ejected = performance.now() - from;
        await sleep(context.pick(15_000, 2000));
        backends[1]?.kill("SIGCONT");
        const result = await load.stop();
        return [
          told("requests", result.requests),
          atLeast("good", share(result) * 100, 99.9, " %"),
          atMost("ejected after", ejected, 10_000, " ms"),
        ];
      });
    }),
};

export const allEjected: SoakRow = {
  number: 8,
  title: "all endpoints fail and are ejected, then come back",
  run: (context) =>
    withBackends(3, "fail", (backends) => {
      const ports = backends.map((b) => b.port);
      const policy =
        "outlierDetection: {consecutive5xxErrors: 1, interval: 1s, baseEjectionTime: 2s, maxEjectionPercent: 100, minHealthPercent: 0}";
      return onStage(context, { ports, trafficPolicy: policy, rule: "retries: {attempts: 0}", untried: true }, async ({ mesh, serves }) => {
        const load = startOpenLoad({ port: mesh.gatewayPort, host: HOST, rate: 50 });
        await eventually(
          "all are ejected",
          async () => /ejections_active: 3/.test(await mesh.proxyAdmin("/stats?filter=ejections_active")),
          15_000,
        );
        for (const backend of backends) backend.stop();
        await sleep(200);
        const back = await Promise.all(ports.map((port, i) => startBackendProcess(`c${i}`, "echo", port)));
        const from = performance.now();
        await serves();
        const recovered = performance.now() - from;
        const result = await load.stop();
        for (const backend of back) backend.stop();
        const odd = [...result.outcomes.keys()].filter((outcome) => outcome !== "200" && outcome !== "503");
        return [noFailure("answers other than 200 and 503", odd.join(", ")), atMost("served again after", recovered, 15_000, " ms")];
      });
    }),
};
