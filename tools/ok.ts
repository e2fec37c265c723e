// The gate of every commit: format, lint, types, import table, file cycles, dead code, unit and golden tests. Under two minutes.
import { runSteps, vitestStep } from "./steps.ts";

runSteps([
  { name: "format", command: ["oxfmt", "--check", "src", "tools", "scenarios", "e2e", "bench", "vitest.config.ts"] },
  { name: "lint", command: ["oxlint", "--quiet"] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "import table and file cycles", command: ["node", "tools/check-layers.ts"] },
  { name: "dead code", command: ["knip", "--no-progress"] },
  { name: "documents", command: ["node", "tools/check-docs.ts"] },
  { name: "feature table", command: ["node", "tools/features.ts", "--check"] },
  vitestStep("unit and golden tests", ["src", "tools"]),
]);
