// How commands print: text, tables, JSON; colours only where the stream is a terminal and NO_COLOR is not set (util.styleText decides).
import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface Output {
  readonly isTerminal: boolean;
  print(text: string): void;
  /** To stderr: what is not the answer itself. */
  note(text: string): void;
  json(value: unknown): void;
  /** Left-aligned columns; the first row is the head. */
  table(rows: readonly (readonly string[])[]): void;
  style(style: Style, text: string): string;
  /** Replaces the last line written by `live` on a terminal; elsewhere prints a line. */
  live(text: string): void;
}

export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function createOutput(streams: OutputStreams = process): Output {
  const { stdout, stderr } = streams;
  const isTerminal = stdout.isTTY === true;
  let liveLine = false;
  const write = (text: string): void => {
    if (liveLine) stdout.write("\r\u001b[2K");
    liveLine = false;
    stdout.write(`${text}\n`);
  };
  return {
    isTerminal,
    print: write,
    note(text) {
      if (liveLine) stdout.write("\r\u001b[2K");
      liveLine = false;
      stderr.write(`${text}\n`);
    },
    json: (value) => write(JSON.stringify(value, null, 2)),
    table: (rows) => write(formatTable(rows)),
    style: (style, text) => styleText(style, text, { stream: stdout }),
    live(text) {
      if (!isTerminal) return write(text);
      // A line longer than the terminal would wrap and could not be taken back.
      stdout.write(`\r\u001b[2K${text.slice(0, Math.max(20, stdout.columns * 2))}`);
      liveLine = true;
    },
  };
}

export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell + " ".repeat((widths[i] ?? 0) - visibleLength(cell))))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
