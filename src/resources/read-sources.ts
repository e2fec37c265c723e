// The only file here that touches the disk: files, folders (all .yaml, .yml and .json below them), `-` for stdin, and the MeshConfig.
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { SerinError } from "../kit/index.ts";
import { type ParsedMeshConfig, parseMeshConfig } from "./mesh-config.ts";
import { type ParsedSources, parseSources, type Source } from "./parse-sources.ts";

const EXTENSIONS = new Set([".yaml", ".yml", ".json"]);
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export interface ReadSourcesOptions {
  /** For relative paths, and what file names in issues are relative to. */
  readonly cwd?: string;
  readonly readStdin?: () => string;
}

/** The texts, without parsing them. Throws a SerinError where a path cannot be read. */
export function readSourceTexts(paths: readonly string[], options: ReadSourcesOptions = {}): Source[] {
  const cwd = options.cwd ?? process.cwd();
  const readStdin = options.readStdin ?? (() => readFileSync(0, "utf8"));
  const seen = new Set<string>();
  return paths.flatMap((given) => {
    if (given === "-") return [{ file: "stdin", text: readStdin() }];
    return filesOf(path.resolve(cwd, given))
      .filter((file) => !seen.has(file) && seen.add(file))
      .map((file) => ({ file: shorter(file, cwd), text: readText(file) }));
  });
}

export function readSources(paths: readonly string[], options: ReadSourcesOptions = {}): ParsedSources {
  return parseSources(readSourceTexts(paths, options));
}

export function readMeshConfigFile(file: string): ParsedMeshConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new SerinError("MESH_CONFIG_UNREADABLE", `cannot read the MeshConfig ${file}`, {
      cause,
      fix: "Check the path and its permissions.",
    });
  }
  return parseMeshConfig({ file, text });
}

function filesOf(target: string): string[] {
  const stat = statSync(target, { throwIfNoEntry: false });
  if (stat === undefined) throw new SerinError("PATH_NOT_FOUND", `there is no file or folder ${target}`, { fix: "Check the path." });
  if (!stat.isDirectory()) return [target];
  return readdirSync(target, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && EXTENSIONS.has(path.extname(entry.name)) && !entry.name.startsWith("."))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !path
          .relative(target, file)
          .split(path.sep)
          .some((part) => part.startsWith(".") || part === "node_modules"),
    )
    .toSorted();
}

function readText(file: string): string {
  try {
    if (statSync(file).size > MAX_FILE_BYTES)
      throw new SerinError("PATH_TOO_LARGE", `${file} has more than 16 MiB`, { fix: "Give only files of resources." });
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof SerinError) throw cause;
    throw new SerinError("PATH_UNREADABLE", `cannot read ${file}`, { cause, fix: "Check its permissions." });
  }
}

function shorter(file: string, cwd: string): string {
  const relative = path.relative(cwd, file);
  return relative !== "" && relative.length < file.length ? relative : file;
}
