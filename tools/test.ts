// npm test: everything that can run on this machine. Real Envoy takes part where it is installed (tools/install-envoy.sh);
// with SERIN_REQUIRE_ENVOY=1 a missing Envoy is a failure.
import { existsSync } from "node:fs";
import path from "node:path";
import { ROOT, runSteps, vitestStep } from "./steps.ts";

const envoy = process.env["ENVOY"] ?? path.join(ROOT, ".cache/envoy/envoy");
if (!existsSync(envoy)) {
  if (process.env["SERIN_REQUIRE_ENVOY"] === "1") {
    console.error(`Envoy is required (SERIN_REQUIRE_ENVOY=1) and not there: ${envoy}\n  Run tools/install-envoy.sh`);
    process.exit(1);
  }
  console.log("Real Envoy is not installed: tests that need it are skipped. To include them: tools/install-envoy.sh");
} else {
  process.env["ENVOY"] = envoy;
}

runSteps([
  vitestStep("unit and golden tests", ["src", "tools"]),
  { name: "conformance", command: ["node", "tools/scenarios.ts"], report: path.join(ROOT, ".cache/reports/conformance.json") },
  vitestStep("whole system", ["--config", "e2e/vitest.config.ts"]),
]);
