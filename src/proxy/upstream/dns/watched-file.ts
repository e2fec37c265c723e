// What a file says, read again only when it has changed.
import { readFile, stat } from "node:fs/promises";

/** `read` is called with "" where there is no such file; its result stays the same object while the file does. */
export function watchFile<T>(path: string, read: (text: string) => T): () => Promise<T> {
  let seen: string | undefined;
  let value = read("");

  async function versionOf(): Promise<string> {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      return `${mtimeMs} ${size} ${ino}`;
    } catch {
      return "";
    }
  }

  async function textOf(): Promise<string> {
    try {
      return await readFile(path, "utf8");
    } catch {
      return "";
    }
  }

  return async () => {
    const version = await versionOf();
    if (version !== seen) {
      value = read(version === "" ? "" : await textOf());
      seen = version;
    }
    return value;
  };
}
