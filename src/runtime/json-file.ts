// Replaces a file at once: a reader sees the old or the new text, never half of one. Owner-only.
import { renameSync, writeFileSync } from "node:fs";

export function writeJsonFile(file: string, value: unknown): void {
  const next = `${file}.new`;
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, file);
}
