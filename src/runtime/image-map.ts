// The user's own list of what runs in place of an image: a YAML file {images: {NAME[:TAG]: COMMAND}}, COMMAND as text, list, or
// {command, cwd, env}. Named by --image-map, else serin-images.yaml beside the config.
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { SerinError } from "../kit/index.ts";
import { parseShellWords } from "./shell-words.ts";
import { withoutTag } from "./stand-ins.ts";

export interface MappedImage {
  readonly command: readonly string[];
  /** Absolute; the folder of the map when the entry has none. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export type ImageMap = ReadonlyMap<string, MappedImage>;

export function readImageMap(file: string): ImageMap {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new SerinError("IMAGE_MAP_UNREADABLE", `cannot read the image map ${file}`, {
      cause,
      fix: "Check the path given with --image-map.",
    });
  }
  return parseImageMap(text, file);
}

export function parseImageMap(text: string, file: string): ImageMap {
  const refuse = (what: string): never => {
    throw new SerinError("IMAGE_MAP_INVALID", `${file}: ${what}`, {
      fix: "Write `images: {NAME: COMMAND}`, COMMAND as text, as a list, or as {command, cwd, env}.",
    });
  };
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    return refuse((cause as Error).message.split("\n")[0] ?? "is no YAML");
  }
  const images = isObject(document) ? document["images"] : undefined;
  if (!isObject(images)) return refuse("has no `images`");
  const map = new Map<string, MappedImage>();
  for (const [name, value] of Object.entries(images)) {
    const entry = isObject(value) ? value : { command: value };
    for (const field of Object.keys(entry)) if (!["command", "cwd", "env"].includes(field)) refuse(`${name}: unknown field ${field}`);
    const command = toCommand(entry["command"]);
    if (command === undefined) return refuse(`${name}: the command is neither text nor a list of text`);
    if (typeof command === "string") return refuse(`${name}: ${command}`);
    const { cwd = ".", env = {} } = entry;
    if (typeof cwd !== "string") return refuse(`${name}: cwd is no text`);
    if (!isObject(env)) return refuse(`${name}: env is no map`);
    map.set(name, {
      command,
      cwd: path.resolve(path.dirname(file), cwd),
      env: Object.fromEntries(Object.entries(env).map(([k, v]) => [k, String(v)])),
    });
  }
  return map;
}

/** The entry with the tag, else the one without. */
export function findMapped(map: ImageMap, image: string): MappedImage | undefined {
  return map.get(image) ?? map.get(withoutTag(image));
}

/** The words; a text says what is wrong. */
function toCommand(value: unknown): readonly string[] | string | undefined {
  if (Array.isArray(value)) return value.length > 0 && value.every((word) => typeof word === "string") ? value : undefined;
  if (typeof value !== "string") return undefined;
  const words = parseShellWords(value);
  return words.ok ? words.value : words.error;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
