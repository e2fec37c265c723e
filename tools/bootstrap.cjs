// First code that runs on a user's machine, on whatever Node is there (14 and newer): installs what the lock file names when that
// changed, generates the Envoy API, bundles, and goes on with the pinned Node. Second runs find everything fresh and start at once.
"use strict";
const { spawn, spawnSync } = require("child_process");
const fs = require("fs");
const path = require("path");
const { createHash } = require("crypto");

const ROOT = path.resolve(__dirname, "..");
const STAMP = path.join(ROOT, "node_modules", ".serin-lock");
const WINDOWS = process.platform === "win32";
const NODE = path.join(ROOT, "node_modules", ".bin", WINDOWS ? "node.cmd" : "node");

/** One literal table: what each npm script runs on the pinned Node. */
const COMMANDS = {
  start: { build: true, run: ["tools/start.ts"] },
  test: { build: true, run: ["tools/test.ts"] },
  ok: { build: false, run: ["tools/ok.ts"] },
  golden: { build: false, run: ["tools/golden.ts"] },
  scenarios: { build: true, run: ["tools/scenarios.ts"] },
  soak: { build: true, run: ["e2e/soak/main.ts"] },
  bench: { build: true, run: ["bench/main.ts"] },
  format: { build: false, run: ["tools/format.ts"] },
  build: { build: true, run: null },
};

function fail(message, fix) {
  process.stderr.write(`\nserin: ${message}\n${fix ? `  ${fix}\n` : ""}`);
  process.exit(1);
}

function lockHash() {
  const hash = createHash("sha256");
  hash.update(fs.readFileSync(path.join(ROOT, "package-lock.json")));
  hash.update(`${process.platform}-${process.arch}`);
  return hash.digest("hex");
}

function installed() {
  try {
    return fs.readFileSync(STAMP, "utf8") === lockHash() && fs.existsSync(NODE);
  } catch {
    return false;
  }
}

function install() {
  process.stdout.write("Installing dependencies (only when package-lock.json changed) …\n");
  const done = spawnSync("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: WINDOWS,
  });
  if (done.error) fail(`npm did not start: ${done.error.message}`, "Install Node.js with npm, then run the command again.");
  if (done.status !== 0) fail("npm ci failed.", "Its message stands above; mend it and run the command again.");
  if (!fs.existsSync(NODE))
    fail(
      `no pinned Node for ${process.platform}-${process.arch} was installed.`,
      "Serin ships Node for linux x64/arm64, macOS x64/arm64 and Windows x64.",
    );
  fs.writeFileSync(STAMP, lockHash());
}

function runNode(args) {
  const done = spawnSync(NODE, args, { cwd: ROOT, stdio: "inherit", shell: WINDOWS });
  if (done.status !== 0) process.exit(done.status === null ? 1 : done.status);
}

function main() {
  const name = process.argv[2];
  const command = Object.prototype.hasOwnProperty.call(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) fail(`unknown script ${name}`, `One of: ${Object.keys(COMMANDS).join(", ")}`);
  if (!installed()) install();
  runNode(["tools/generate-envoy-api.ts"]);
  if (command.build) runNode(["tools/build.ts"]);
  if (!command.run) return;
  const child = spawn(NODE, [...command.run, ...process.argv.slice(3)], { cwd: ROOT, stdio: "inherit", shell: WINDOWS });
  // Ctrl-C reaches the child by the terminal itself; npm's SIGTERM has to be handed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(code === null ? (signal === "SIGINT" ? 130 : 1) : code));
}

main();
