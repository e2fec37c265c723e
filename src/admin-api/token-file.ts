// The file with the admin API's token, as both sides read it.
import { readFileSync } from "node:fs";
import { SerinError } from "../kit/index.ts";

export function readTokenFile(file: string, fix: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new SerinError("ADMIN_TOKEN_UNREADABLE", `cannot read the admin token ${file}`, { cause, fix });
  }
}
