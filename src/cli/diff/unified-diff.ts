// A unified diff of two texts by lines (Myers' shortest edit script), as `diff -u` prints it.
const CONTEXT = 3;

interface Edit {
  readonly kind: " " | "-" | "+";
  readonly line: string;
}

/** Empty when the texts are equal. */
export function toUnifiedDiff(options: {
  readonly before: string;
  readonly after: string;
  readonly from: string;
  readonly to: string;
}): string {
  const { before, after } = options;
  if (before === after) return "";
  const edits = shortestEdits(toLines(before), toLines(after));
  return `--- ${options.from}\n+++ ${options.to}\n${hunksOf(edits).map(toHunk).join("")}`;
}

function toLines(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function shortestEdits(a: readonly string[], b: readonly string[]): Edit[] {
  const max = a.length + b.length;
  const trace: Map<number, number>[] = [];
  let frontier = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= max; d++) {
    trace.push(new Map(frontier));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (frontier.get(k - 1) ?? 0) < (frontier.get(k + 1) ?? 0));
      let x = down ? (frontier.get(k + 1) ?? 0) : (frontier.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      frontier.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a, b);
    }
    frontier = new Map(frontier);
  }
  return [];
}

function walkBack(trace: readonly Map<number, number>[], a: readonly string[], b: readonly string[]): Edit[] {
  const edits: Edit[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const frontier = trace[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (frontier.get(k - 1) ?? 0) < (frontier.get(k + 1) ?? 0));
    const previousK = down ? k + 1 : k - 1;
    const previousX = d === 0 ? 0 : (frontier.get(previousK) ?? 0);
    const previousY = d === 0 ? 0 : previousX - previousK;
    while (x > previousX && y > previousY) {
      x -= 1;
      y -= 1;
      edits.push({ kind: " ", line: a[x] ?? "" });
    }
    if (d === 0) break;
    if (down) edits.push({ kind: "+", line: b[--y] ?? "" });
    else edits.push({ kind: "-", line: a[--x] ?? "" });
  }
  return edits.toReversed();
}

interface Hunk {
  readonly before: number;
  readonly after: number;
  readonly edits: readonly Edit[];
}

function hunksOf(edits: readonly Edit[]): Hunk[] {
  const hunks: Hunk[] = [];
  const changed = edits.flatMap((edit, i) => (edit.kind === " " ? [] : [i]));
  let start = 0;
  while (start < changed.length) {
    let end = start;
    while (end + 1 < changed.length && (changed[end + 1] ?? 0) - (changed[end] ?? 0) <= 2 * CONTEXT) end += 1;
    const from = Math.max(0, (changed[start] ?? 0) - CONTEXT);
    const past = edits.slice(0, from);
    const lines = (kind: "-" | "+") => past.filter((edit) => edit.kind !== kind).length;
    hunks.push({ before: lines("+"), after: lines("-"), edits: edits.slice(from, (changed[end] ?? 0) + CONTEXT + 1) });
    start = end + 1;
  }
  return hunks;
}

function toHunk(hunk: Hunk): string {
  const count = (kind: "-" | "+") => hunk.edits.filter((edit) => edit.kind !== kind).length;
  const range = (start: number, length: number) => `${length === 0 ? start : start + 1}${length === 1 ? "" : `,${length}`}`;
  const head = `@@ -${range(hunk.before, count("+"))} +${range(hunk.after, count("-"))} @@\n`;
  return head + hunk.edits.map((edit) => `${edit.kind}${edit.line}\n`).join("");
}
