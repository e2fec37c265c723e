// Fails on an import that the table does not allow, on an import past a folder's index.ts, and on any cycle of files.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const SRC = path.join(ROOT, "src");

/** Folder → folders it may import (design: ARCHITECTURE.md). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  "envoy-api": [],
  resources: ["kit"],
  model: ["kit"],
  translate: ["kit", "resources", "model"],
  xds: ["kit", "model", "envoy-api"],
  "xds-server": ["kit", "envoy-api"],
  proxy: ["kit", "envoy-api"],
  runtime: ["kit", "resources", "admin-api"],
  "admin-api": ["kit"],
  "control-plane": ["kit", "envoy-api", "resources", "model", "translate", "xds", "xds-server", "runtime", "admin-api"],
  cli: ["kit", "admin-api", "resources", "translate", "model", "xds", "proxy/matcher.ts", "proxy/config/index.ts"],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts") && !f.endsWith(".d.ts") && !f.startsWith(path.join("envoy-api", "gen")))
    .map((f) => f.split(path.sep).join("/"))
    .sort();
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(SRC, file), "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(?:import|export)\s+(type\s+)?[^"';]*?from\s+["'](\.[^"']+)["']|^import\s+["'](\.[^"']+)["']|\bimport\(\s*["'](\.[^"']+)["']\s*\)/gm,
  )) {
    const target = match[2] ?? match[3] ?? match[4] ?? "";
    found.push({ from: file, to: path.posix.join(path.posix.dirname(file), target), typeOnly: match[1] !== undefined });
  }
  return found;
}

function folderOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function layerProblem(edge: Import): string | undefined {
  const from = folderOf(edge.from);
  const to = folderOf(edge.to);
  if (edge.to.startsWith("..")) return edge.from.endsWith(".test.ts") ? undefined : `${edge.from} imports ${edge.to}, outside src`;
  if (from === to) return undefined;
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `${edge.from}: folder ${from} is not in the table of tools/check-layers.ts`;
  if (edge.from.endsWith(".test.ts")) return undefined;
  const exact = allowed.includes(edge.to);
  if (!exact && !allowed.includes(to)) return `${edge.from} imports ${edge.to}: ${from} may import ${allowed.join(", ") || "nothing"}`;
  // What serves tests may use what serves the tests of a folder that it may import.
  if (edge.from.split("/")[1] === "testing" && edge.to.split("/")[1] === "testing") return undefined;
  if (!exact && edge.to !== `${to}/index.ts` && !edge.to.startsWith("envoy-api/gen/"))
    return `${edge.from} imports ${edge.to}: past ${to}/index.ts`;
  if (edge.to.startsWith("envoy-api/gen/")) return `${edge.from} imports ${edge.to}: past envoy-api/index.ts`;
  return undefined;
}

/** Cycles among imports that exist at run time (type imports are erased). */
function findCycles(edges: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const e of edges) if (!e.typeOnly) next.set(e.from, [...(next.get(e.from) ?? []), e.to]);
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") {
      cycles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      return;
    }
    state.set(file, "open");
    for (const to of next.get(file) ?? []) walk(to, [...trail, file]);
    state.set(file, "done");
  };
  for (const file of next.keys()) walk(file, []);
  return cycles;
}

export function checkLayers(): string[] {
  const edges = sourceFiles().flatMap(importsOf);
  const problems = edges.map(layerProblem).filter((p) => p !== undefined);
  return [...new Set(problems), ...findCycles(edges).map((c) => `cycle: ${c}`)];
}

if (import.meta.main) {
  const problems = checkLayers();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exit(1);
}
