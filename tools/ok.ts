// The gate of every commit: format, lint, types, import table, file cycles, dead code, unit and golden tests. Under two minutes.
import path from "node:path";
import { ROOT, runSteps, vitestStep } from "./steps.ts";

runSteps([
  { name: "format", command: ["oxfmt", "--check", "src", "tools", "scenarios", "e2e", "bench", "vitest.config.ts"] },
  { name: "lint", command: ["oxlint", "--quiet"] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "import table and file cycles", command: ["node", "tools/check-layers.ts"] },
  { name: "dead code", command: ["knip", "--no-progress"] },
  { name: "documents", command: ["node", "tools/check-docs.ts"] },
  { name: "feature table", command: ["node", "tools/features.ts", "--check"] },
  vitestStep("unit and golden tests", ["src", "tools"]),
  {
    name: "recorded cases through the matcher",
    command: ["node", "tools/scenarios.ts", "--plane", "matcher"],
    report: path.join(ROOT, ".cache/reports/matcher.json"),
  },
]);
