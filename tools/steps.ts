// Runs named steps one after the other, says how each went and how long it took, and sums what they counted.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "..");
const BIN = path.join(ROOT, "node_modules/.bin");

export interface Step {
  readonly name: string;
  /** Program (a tool of node_modules/.bin, or "node") and its arguments. */
  readonly command: readonly string[];
  /** JSON report the command writes: vitest's, or {passed, failed, skipped}. Without one the step itself counts as one test. */
  readonly report?: string;
}

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function vitestStep(name: string, args: readonly string[]): Step {
  const report = path.join(ROOT, ".cache/reports", `${name.replaceAll(/\W+/g, "-")}.json`);
  const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
  return { name, report, command: ["node", vitest, "run", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, ...args] };
}

function countOf(step: Step, status: number | null): Count {
  if (step.report === undefined || !existsSync(step.report)) {
    return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
  }
  const report = JSON.parse(readFileSync(step.report, "utf8")) as Record<string, number>;
  const passed = report["numPassedTests"] ?? report["passed"] ?? 0;
  const failed = report["numFailedTests"] ?? report["failed"] ?? 0;
  const skipped = report["numPendingTests"] ?? report["skipped"] ?? 0;
  // A run that broke off without a failed test has failed all the same.
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Some tools colour their words for a file or a pipe too, where CI is set. */
function stepEnvironment(): NodeJS.ProcessEnv {
  if (process.stdout.isTTY) return process.env;
  const { FORCE_COLOR: _, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1" };
}

function runStep(step: Step): Count {
  if (step.report !== undefined) {
    mkdirSync(path.dirname(step.report), { recursive: true });
    rmSync(step.report, { force: true });
  }
  const started = performance.now();
  console.log(`\n── ${step.name}`);
  const [program = "node", ...args] = step.command;
  const file = program === "node" ? process.execPath : program === "sh" ? "sh" : path.join(BIN, program);
  const done = spawnSync(file, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"], env: stepEnvironment() });
  const count = countOf(step, done.status);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${count.failed === 0 ? "✓" : "✗"} ${step.name} (${seconds} s)`);
  return count;
}

/** Runs all steps even when one fails, prints `N passed, N failed`, and exits with 1 when something failed. */
export function runSteps(steps: readonly Step[]): never {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const broken: string[] = [];
  for (const step of steps) {
    const count = runStep(step);
    if (count.failed > 0) broken.push(step.name);
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  if (broken.length > 0) console.log(`\nfailed: ${broken.join(", ")}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
  process.exit(total.failed > 0 ? 1 : 0);
}
