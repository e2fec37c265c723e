// Where access logs go: standard output and files, opened at their first line. A file that cannot be written loses lines, never requests.
import { createWriteStream, type WriteStream } from "node:fs";
import type { Logger } from "../../kit/index.ts";
import type { AccessLogSink } from "./access-log.ts";

export interface LogFiles extends AccessLogSink {
  /** Closes the files, so that the next line opens them anew: they may have been moved away. */
  reopen(): void;
}

/** Lines that wait for a slow disk; more are dropped. */
const MAX_WAITING_CHARS = 16 * 1024 * 1024;

export function createLogFiles(logger: Logger): LogFiles {
  const files = new Map<string, WriteStream>();
  const complained = new Set<string>();

  function open(path: string): WriteStream {
    const file = createWriteStream(path, { flags: "a", mode: 0o600 });
    file.on("error", (error) => {
      files.delete(path);
      if (complained.has(path)) return;
      complained.add(path);
      logger.log("error", "an access log cannot be written", { path, reason: error.message });
    });
    files.set(path, file);
    return file;
  }

  return {
    write(path, lines) {
      // Header text holds one byte per char.
      if (path === "/dev/stdout") process.stdout.write(lines, "latin1");
      else if (path === "/dev/stderr") process.stderr.write(lines, "latin1");
      else {
        const file = files.get(path) ?? open(path);
        if (file.writableLength < MAX_WAITING_CHARS) file.write(lines, "latin1");
      }
    },
    reopen() {
      for (const file of files.values()) file.end();
      files.clear();
      complained.clear();
    },
  };
}
