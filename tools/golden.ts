// npm run golden -- NAME: rewrites the golden files whose tests match NAME (all without one). Never in CI.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ROOT } from "./steps.ts";

if (process.env["CI"] !== undefined) {
  console.error("golden files are not rewritten in CI");
  process.exit(1);
}
const name = process.argv[2];
const args = ["run", "golden", ...(name === undefined ? [] : ["-t", name])];
const done = spawnSync(process.execPath, [path.join(ROOT, "node_modules/vitest/vitest.mjs"), ...args], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, SERIN_GOLDEN: "write" },
});
process.exit(done.status ?? 1);
