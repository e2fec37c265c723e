// Which files a --config path means, as the CLI's `up` and `apply` read folders: a folder with a kustomization.yaml means the files that its
// `resources` name (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/), else all YAML and JSON below it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { SerinError } from "../../kit/index.ts";

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
const KUSTOMIZATION = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const KUSTOMIZATION_FIELDS = new Set(["apiVersion", "kind", "metadata", "resources"]);
/** Serin's own files beside the config. */
const NO_RESOURCES = new Set(["serin-images.yaml", "serin-images.yml"]);
const MAX_DEPTH = 32;

/** Sorted; hidden files (`.git`, `..data` of a ConfigMap mount) are left out. */
export function listFiles(root: string): string[] {
  return [...new Set(filesOf(root, 0))].sort();
}

function filesOf(target: string, depth: number): string[] {
  if (!statSync(target).isDirectory()) return [target];
  if (depth > MAX_DEPTH) return [];
  const kustomization = KUSTOMIZATION.map((name) => path.join(target, name)).find((file) => existsSync(file));
  if (kustomization !== undefined) return resourcesOf(kustomization).flatMap((entry) => filesOf(path.join(target, entry), depth + 1));
  const found: string[] = [];
  for (const entry of readdirSync(target, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const full = path.join(target, entry.name);
    if (entry.isDirectory()) found.push(...filesOf(full, depth + 1));
    else if (EXTENSIONS.has(path.extname(entry.name)) && !NO_RESOURCES.has(entry.name)) found.push(full);
  }
  return found;
}

function resourcesOf(file: string): readonly string[] {
  const refuse = (what: string, cause?: unknown): never => {
    throw new SerinError("KUSTOMIZATION_INVALID", `${file}: ${what}`, {
      cause,
      fix: "Only `resources` is read; run `kubectl kustomize` and use what it prints.",
    });
  };
  let document: unknown;
  try {
    document = parse(readFileSync(file, "utf8"), { maxAliasCount: 0 });
  } catch (cause) {
    refuse((cause as Error).message.split("\n")[0] ?? "it is no YAML", cause);
  }
  const fields = (document ?? {}) as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(fields).find((name) => !KUSTOMIZATION_FIELDS.has(name));
  if (unknown !== undefined) refuse(`${unknown} is not supported`);
  const { resources } = fields;
  if (!Array.isArray(resources) || !resources.every((entry) => typeof entry === "string")) return refuse("`resources` is no list of paths");
  return resources;
}
