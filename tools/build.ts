// Bundles the programs into dist/ with esbuild. A stamp over the newest source file makes a fresh build a no-op.
import { build } from "esbuild";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const DIST = path.join(ROOT, "dist");
const STAMP = path.join(DIST, ".stamp");

/** Program → its entry. bin/serin and the runtime start these by name. */
const PROGRAMS: Readonly<Record<string, string>> = {
  cli: "src/cli/main.ts",
  "control-plane": "src/control-plane/main.ts",
  proxy: "src/proxy/main.ts",
  runtime: "src/runtime/main.ts",
  "stand-in": "src/runtime/catalogue/main.ts",
};

function newest(dir: string): number {
  let time = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith(".test.ts")) continue;
    time = Math.max(time, statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}

function fresh(): boolean {
  if (!existsSync(STAMP)) return false;
  const built = statSync(STAMP).mtimeMs;
  return (
    newest(path.join(ROOT, "src")) <= built &&
    statSync(path.join(ROOT, "package-lock.json")).mtimeMs <= built &&
    statSync(import.meta.filename).mtimeMs <= built
  );
}

async function bundle(): Promise<void> {
  const started = new Date();
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST, { recursive: true });
  const entries = Object.entries(PROGRAMS).filter(([, entry]) => existsSync(path.join(ROOT, entry)));
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(entries),
    outdir: DIST,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    platform: "node",
    target: "node24",
    format: "esm",
    minifySyntax: true,
    sourcemap: "linked",
    logLevel: "warning",
    // Packages written as CommonJS ask for require().
    banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  });
  writeFileSync(STAMP, "");
  // The stamp carries the time at which the build began: a file saved meanwhile is newer.
  const { utimesSync } = await import("node:fs");
  utimesSync(STAMP, started, started);
}

if (!fresh()) await bundle();
