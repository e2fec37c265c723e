// What every command gets: output, the running mesh, its client. One place adds the options that all commands share.
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { type Command, Option } from "commander";
import {
  type AdminClient,
  createAdminClient,
  isSameProcess,
  type MeshFile,
  meshPaths,
  type MeshPaths,
  readMeshFile,
} from "../admin-api/index.ts";
import { SerinError } from "../kit/index.ts";
import { createOutput, type Output } from "./output.ts";

/** Adds its command to the program; `src/cli/commands/index.ts` is the list. */
export type AddCommand = (program: Command, cli: Cli) => void;

export type Format = "table" | "json" | "yaml";

export interface CommonOptions {
  /** Name of the mesh. */
  readonly name: string;
  readonly output: Format;
}

export interface RunningMesh {
  readonly paths: MeshPaths;
  readonly file: MeshFile;
  readonly client: AdminClient;
}

export interface Cli {
  readonly out: Output;
  /** How to call this program again from the working folder: `bin/serin` in a clone, else `serin`. */
  readonly command: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Adds `--name` and `-o`, the latter with the given formats (the first is the default). */
  common(command: Command, formats?: readonly Format[]): Command;
  paths(options: { readonly name: string }): MeshPaths;
  /** The mesh if it runs. */
  findMesh(options: { readonly name: string }): RunningMesh | undefined;
  /** The mesh, or MESH_NOT_RUNNING. */
  mesh(options: { readonly name: string }): RunningMesh;
  /** Exit codes: 0 done; 1 done, and the answer is no (errors found, refused, timed out); 2 could not run. */
  exit(code: 0 | 1 | 2): void;
}

export function createCli(env: Readonly<Record<string, string | undefined>> = process.env): Cli {
  const out = createOutput();

  function findMesh(options: { readonly name: string }): RunningMesh | undefined {
    const paths = pathsOf(options);
    const file = readMeshFile(paths);
    if (file === undefined || !isSameProcess(file)) return undefined;
    return { paths, file, client: createAdminClient({ url: file.adminUrl, token: file.token }) };
  }

  function pathsOf({ name }: { readonly name: string }): MeshPaths {
    if (!/^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/.test(name)) {
      throw new SerinError("MESH_NAME_INVALID", `"${name}" is no name for a mesh`, {
        fix: "Use lower-case letters, digits and dashes, at most 52.",
      });
    }
    return meshPaths(name, env);
  }

  return {
    out,
    env,
    command: commandName(),
    common(command, formats = ["table", "json"]) {
      return command
        .addOption(new Option("--name <mesh>", "name of the mesh").default("default").env("SERIN_MESH"))
        .addOption(new Option("-o, --output <format>", "form of the output").choices([...formats]).default(formats[0]));
    },
    paths: pathsOf,
    findMesh,
    mesh(options) {
      const mesh = findMesh(options);
      if (mesh !== undefined) return mesh;
      const named = options.name === "default" ? "" : ` named ${options.name}`;
      throw new SerinError("MESH_NOT_RUNNING", `no mesh${named} runs on this machine`, { fix: "Start one with `serin up`." });
    },
    exit(code) {
      process.exitCode = code;
    },
  };
}

function commandName(): string {
  const root = path.resolve(path.dirname(realpathSync(process.argv[1] ?? ".")), "..");
  if (!existsSync(path.join(root, "src")) || !existsSync(path.join(root, "bin/serin"))) return "serin";
  const relative = path.relative(process.cwd(), path.join(root, "bin/serin"));
  return relative.startsWith("..") ? path.join(root, "bin/serin") : relative;
}
