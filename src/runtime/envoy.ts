// Where real Envoy is: $ENVOY, or what tools/install-envoy.sh put beside dist/.
import { accessSync, constants, realpathSync } from "node:fs";
import path from "node:path";
import { SerinError } from "../kit/index.ts";

export function findEnvoy(env: Readonly<Record<string, string | undefined>>, self: string = process.argv[1] ?? ""): string {
  const given = env["ENVOY"];
  if (given !== undefined && given !== "") return check(given, `ENVOY names ${given}, which is no program`);
  const dir = path.dirname(realpathSync(self));
  const root = self.endsWith(".ts") ? path.join(dir, "../..") : path.join(dir, "..");
  return check(path.join(root, ".cache/envoy/envoy"), "Envoy is not installed");
}

function check(file: string, otherwise: string): string {
  try {
    accessSync(file, constants.X_OK);
    return path.resolve(file);
  } catch {
    throw new SerinError("ENVOY_NOT_FOUND", otherwise, { fix: "Run tools/install-envoy.sh, or set ENVOY to the program." });
  }
}
