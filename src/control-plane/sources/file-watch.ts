// Follows a folder (or one file) of YAML and JSON: tells the whole set of texts at the start and after each change. fs.watch makes it
// quick, a slow poll makes it sure (network file systems, swapped symlinks as Kubernetes mounts ConfigMaps).
import { type FSWatcher, readFileSync, statSync, watch } from "node:fs";
import path from "node:path";
import { type Clock, createDebounce, type Logger, SerinError } from "../../kit/index.ts";
import { listFiles } from "./list-files.ts";

export interface SourceFile {
  /** As given: the --config path joined with the path below it. */
  readonly file: string;
  readonly text: string;
}

export interface FileWatch {
  /** The files as last read, sorted by name. The same file has the same object while its bytes stand. */
  current(): readonly SourceFile[];
  stop(): void;
}

const QUIET_MS = 5;
const MAX_HOLD_MS = 50;
const POLL_MS = 1000;
/** An editor that empties a file before it fills it again is given this long. */
const EMPTY_GRACE_MS = 150;

interface Entry {
  readonly stamp: string;
  readonly source: SourceFile;
}

export function startFileWatch(options: {
  readonly root: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (files: readonly SourceFile[]) => void;
}): FileWatch {
  const { root, clock, logger } = options;
  let entries = new Map<string, Entry>();
  let stopped = false;
  let watcher: FSWatcher | undefined;
  let cancelPoll: (() => void) | undefined;
  const emptySince = new Map<string, number>();
  /** What fs.watch has named since the last scan; undefined = anything. */
  let touched: Set<string> | undefined;

  function read(file: string): Entry | undefined {
    try {
      const stat = statSync(file, { bigint: true });
      if (!stat.isFile()) return undefined;
      const stamp = `${stat.ino}.${stat.size}.${stat.mtimeNs}`;
      const known = entries.get(file);
      if (known?.stamp === stamp) return known;
      const text = readFileSync(file, "utf8");
      return { stamp, source: known?.source.text === text ? known.source : { file, text } };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      logger.log("warn", "a config file cannot be read; what it said before stays", { file, error: String(error) });
      return entries.get(file);
    }
  }

  /** True when a file stands empty that was not, and may yet be filled. */
  function isHalfWritten(file: string, entry: Entry): boolean {
    if (entry.source.text.trim() !== "" || (entries.get(file)?.source.text.trim() ?? "") === "") {
      emptySince.delete(file);
      return false;
    }
    const since = emptySince.get(file) ?? clock.now();
    emptySince.set(file, since);
    if (clock.now() - since >= EMPTY_GRACE_MS) return false;
    return true;
  }

  /** All files, or, where only files we know were written, those alone: a folder of thousands is not walked for one of them. */
  function scan(): boolean {
    const written = touched;
    touched = new Set();
    const few = written !== undefined && [...written].every((file) => entries.has(file));
    const next = few ? new Map(entries) : new Map<string, Entry>();
    let again = false;
    for (const file of few ? written : listFiles(root)) {
      const entry = read(file);
      if (entry === undefined) {
        next.delete(file);
        continue;
      }
      const half = isHalfWritten(file, entry);
      again ||= half;
      next.set(file, half ? (entries.get(file) ?? entry) : entry);
    }
    const changed = next.size !== entries.size || [...next].some(([file, entry]) => entries.get(file)?.source !== entry.source);
    entries = next;
    if (again) debounceAgain();
    return changed;
  }

  const current = () => [...entries.values()].map((entry) => entry.source);

  function rescan(): void {
    if (stopped) return;
    try {
      if (scan()) options.onChange(current());
    } catch (error) {
      logger.log("warn", "the config folder cannot be read; what it said before stays", { root, error: String(error) });
    }
  }

  let cancelAgain: (() => void) | undefined;
  function debounceAgain(): void {
    cancelAgain?.();
    cancelAgain = clock.after(EMPTY_GRACE_MS, () => {
      touched = undefined;
      rescan();
    });
  }

  const debounce = createDebounce({ quietMs: QUIET_MS, maxMs: MAX_HOLD_MS, clock, fire: rescan });

  function startWatching(): void {
    try {
      watcher = watch(root, { recursive: true }, (_event, name) => {
        if (name === null) touched = undefined;
        else touched?.add(path.join(root, name));
        debounce.trigger();
      });
      watcher.on("error", (error) => {
        logger.log("warn", "watching the config folder failed; it is polled each second", { root, error: String(error) });
        watcher?.close();
        watcher = undefined;
      });
    } catch (error) {
      logger.log("warn", "the config folder cannot be watched; it is polled each second", { root, error: String(error) });
    }
  }

  function poll(): void {
    cancelPoll = clock.after(POLL_MS, () => {
      touched = undefined;
      rescan();
      if (!stopped) poll();
    });
  }

  try {
    // Watched first: what changes during the first reading is seen.
    statSync(root);
    startWatching();
    scan();
  } catch (cause) {
    watcher?.close();
    throw new SerinError("CONFIG_UNREADABLE", `cannot read the config ${root}: ${(cause as Error).message}`, {
      cause,
      fix: "Give a readable file or folder as --config.",
    });
  }
  poll();

  return {
    current,
    stop() {
      stopped = true;
      watcher?.close();
      cancelPoll?.();
      cancelAgain?.();
      debounce.stop();
    },
  };
}
