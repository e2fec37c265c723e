// npm start: `serin up` on the demo, with the guided view.
import { spawn } from "node:child_process";
import path from "node:path";
import { ROOT } from "./steps.ts";

const args = process.argv.slice(2);
const child = spawn(
  process.execPath,
  [path.join(ROOT, "dist/cli.js"), "up", ...(args.length > 0 ? args : [path.join(ROOT, "examples/demo4")])],
  {
    cwd: ROOT,
    stdio: "inherit",
  },
);
// The terminal's Ctrl-C reaches the child by itself; here it must not end us before the child has cleaned up.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code) => process.exit(code ?? 1));
