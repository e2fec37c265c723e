// The texts that `up`, `apply`, `delete`, `diff` and `analyze` work on: files, folders, `-` for stdin. A folder with a kustomization.yaml
// means the files that its `resources` name (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/resource/), else all YAML and JSON below it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { SerinError } from "../kit/index.ts";

export interface DocumentText {
  /** Relative to the working folder where that is shorter; "stdin" for `-`. */
  readonly file: string;
  readonly text: string;
}

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
const KUSTOMIZATION = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
const KUSTOMIZATION_FIELDS = new Set(["apiVersion", "kind", "metadata", "resources"]);
/** Files of Serin's own beside the config; they are no resources. */
const NO_RESOURCES = new Set(["serin-images.yaml", "serin-images.yml"]);
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export function readDocuments(paths: readonly string[], readStdin: () => string = () => readFileSync(0, "utf8")): DocumentText[] {
  const seen = new Set<string>();
  const texts: DocumentText[] = [];
  for (const given of paths) {
    if (given === "-") {
      texts.push({ file: "stdin", text: readStdin() });
      continue;
    }
    for (const file of filesOf(path.resolve(given))) {
      if (seen.has(file)) continue;
      seen.add(file);
      texts.push({ file: displayName(file), text: readText(file) });
    }
  }
  return texts;
}

/** Absolute names of the files that a path means. */
function filesOf(target: string, depth = 0): string[] {
  if (!existsSync(target)) {
    throw new SerinError("PATH_NOT_FOUND", `there is no file or folder ${displayName(target)}`, { fix: "Check the path." });
  }
  if (!statSync(target).isDirectory()) return [target];
  const kustomization = KUSTOMIZATION.map((name) => path.join(target, name)).find((file) => existsSync(file));
  if (kustomization !== undefined) return kustomizationFiles(kustomization, depth);
  const files = readdirSync(target, { recursive: true, encoding: "utf8" })
    .filter((file) => EXTENSIONS.has(path.extname(file)) && !NO_RESOURCES.has(path.basename(file)))
    .filter((file) => !file.split(path.sep).some((part) => part.startsWith(".") || part === "node_modules"))
    .map((file) => path.join(target, file))
    .filter((file) => statSync(file).isFile())
    .sort();
  if (files.length === 0) {
    throw new SerinError("PATH_EMPTY", `the folder ${displayName(target)} has no .yaml, .yml or .json file`, { fix: "Check the path." });
  }
  return files;
}

function kustomizationFiles(file: string, depth: number): string[] {
  const refuse = (what: string, fix: string): never => {
    throw new SerinError("KUSTOMIZATION_INVALID", `${displayName(file)}: ${what}`, { fix });
  };
  if (depth > 10) refuse("the folders name each other in a circle", "Take one of them out of `resources`.");
  let document: unknown;
  try {
    document = parse(readText(file), { maxAliasCount: 0 });
  } catch (cause) {
    refuse((cause as Error).message.split("\n")[0] ?? "is no YAML", "Write it as YAML.");
  }
  if (typeof document !== "object" || document === null) return refuse("is empty", "List the files under `resources`.");
  for (const field of Object.keys(document)) {
    if (!KUSTOMIZATION_FIELDS.has(field))
      refuse(`${field} is not supported, only resources`, "Run `kubectl kustomize` and use what it prints.");
  }
  const resources: unknown = (document as { resources?: unknown }).resources;
  if (!Array.isArray(resources) || !resources.every((entry) => typeof entry === "string")) {
    return refuse("`resources` is no list of paths", "List the files under `resources`.");
  }
  return resources.flatMap((entry) => filesOf(path.resolve(path.dirname(file), entry), depth + 1));
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES) {
      throw new SerinError("PATH_TOO_LARGE", `${displayName(file)} has more than 16 MiB`, { fix: "Give only files of resources." });
    }
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof SerinError) throw cause;
    throw new SerinError("PATH_UNREADABLE", `cannot read ${displayName(file)}`, { cause, fix: "Check its permissions." });
  }
}

function displayName(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative !== "" && relative.length < file.length ? relative : file;
}
