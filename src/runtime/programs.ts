// Where our own programs are: the bundles beside this one, or the sources when this one runs from source.
import { realpathSync } from "node:fs";
import path from "node:path";

export type Program = "control-plane" | "proxy" | "stand-in";

const SOURCE: Readonly<Record<Program, string>> = {
  "control-plane": "control-plane/main.ts",
  proxy: "proxy/main.ts",
  "stand-in": "runtime/catalogue/main.ts",
};

/** The command line of a program, without its arguments. `self` is the file that this process was started with. */
export function programCommand(program: Program, self: string = process.argv[1] ?? ""): readonly string[] {
  const file = realpathSync(self);
  const dir = path.dirname(file);
  const target = file.endsWith(".ts") ? path.join(dir, "..", SOURCE[program]) : path.join(dir, `${program}.js`);
  return [process.execPath, target];
}
