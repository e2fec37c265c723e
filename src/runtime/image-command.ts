// What runs in place of a container's image: annotation, else image map, else the built-in catalogue, else a reason that says how to map it.
import { err, ok, type Result } from "../kit/index.ts";
import type { Container } from "../resources/index.ts";
import { findMapped, type ImageMap } from "./image-map.ts";
import { parseShellWords } from "./shell-words.ts";
import { findStandIn } from "./stand-ins.ts";

export interface ResolvedCommand {
  readonly command: readonly string[];
  readonly cwd: string;
  /** Beside the container's own. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ImageCommandInput {
  readonly container: Container;
  readonly annotations: Readonly<Record<string, string>>;
  readonly imageMap: ImageMap;
  /** Command line of the stand-in program, without its app. */
  readonly standIn: readonly string[];
  /** Environment of our own programs: what stand-ins get beside the pod's. */
  readonly ownEnv: Readonly<Record<string, string>>;
  /** Where commands of annotations and toolbox images run. */
  readonly cwd: string;
}

/**
 * `command` and `args` of the YAML name programs inside the image. So: an annotation is the whole command; a mapped image is an entry point
 * that gets the YAML's `args`; a stand-in gets neither; a toolbox image (curl, busybox) is the YAML's command run on this machine.
 */
export function toCommand(input: ImageCommandInput): Result<ResolvedCommand> {
  const { container, annotations } = input;
  const annotated = annotations[`serin.dev/command.${container.name}`] ?? annotations["serin.dev/command"];
  // `workingDir` is a folder of the image.
  const cwd = annotations["serin.dev/cwd"] ?? input.cwd;
  if (annotated !== undefined) {
    const words = parseAnnotation(annotated);
    return words.ok ? ok({ command: words.value, cwd, env: {} }) : err(`annotation serin.dev/command: ${words.error}`);
  }
  const mapped = findMapped(input.imageMap, container.image);
  if (mapped !== undefined) return ok({ ...mapped, command: [...mapped.command, ...(container.args ?? [])] });
  const standIn = findStandIn(container.image);
  if (standIn?.run === "app") return ok({ command: [...input.standIn, standIn.app], cwd: input.cwd, env: input.ownEnv });
  if (standIn?.run === "host") {
    const command = [...(container.command ?? []), ...(container.args ?? [])];
    if (command.length > 0) return ok({ command, cwd: input.cwd, env: {} });
    return err(`image ${container.image} runs the container's own command here, and it has none`);
  }
  return err(
    `image ${container.image} is not known here: say what runs in its place, by annotation (serin.dev/command: "node server.js") ` +
      `or in an image map (serin up --image-map FILE, with \`images: {${container.image}: node server.js}\`)`,
  );
}

function parseAnnotation(text: string): Result<readonly string[]> {
  if (!text.trimStart().startsWith("[")) return parseShellWords(text);
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.length > 0 && words.every((word) => typeof word === "string")) return ok(words);
  } catch {
    // Said below.
  }
  return err("is no JSON list of text");
}
