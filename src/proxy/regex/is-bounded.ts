// Which patterns V8 may run: those whose backtracking is bounded by a small power of the input's length. Everything else is RE2's.
// https://github.com/google/re2/wiki/Syntax (the subset read here means the same in both)

/** Unbounded repeats that V8 may run, and the longest input for so many of them: about a million steps at worst. */
const LONGEST: readonly number[] = [Number.POSITIVE_INFINITY, 65_536, 1024, 128];

/** Each choice (an optional atom or group, an alternative) may double the work. */
const MAX_CHOICES = 4;

interface Scan {
  readonly repeats: number;
  readonly choices: number;
}

const CLASS = /^\[\^?(?:\\[\\\]^\-.dws]|[^\\[\]])+\]/;
const ESCAPE = /^\\[.*+?()[\]{}|^$\\/\-dwsDWS]/;
const QUANTIFIER = /^(?:[*+?]\??|\{\d{1,2}(?:,\d{0,2})?\})/;

/** undefined: the pattern uses something outside the subset. */
function scan(pattern: string): Scan | undefined {
  let repeats = 0;
  let choices = 0;
  let depth = 0;
  let at = 0;
  while (at < pattern.length) {
    const rest = pattern.slice(at);
    const char = rest[0] ?? "";
    let atom = "";
    if (char === "(") {
      // One level of groups, plain or non-capturing.
      if (depth > 0 || (rest.startsWith("(?") && !rest.startsWith("(?:"))) return undefined;
      depth++;
      at += rest.startsWith("(?:") ? 3 : 1;
      continue;
    }
    if (char === ")") {
      if (depth === 0) return undefined;
      depth--;
      at++;
      const q = QUANTIFIER.exec(pattern.slice(at))?.[0];
      if (q === undefined) continue;
      // A repeated group is outside the subset; an optional one is not.
      if (q !== "?" && q !== "??") return undefined;
      choices++;
      at += q.length;
      continue;
    }
    if (char === "^") {
      if (at !== 0) return undefined;
      at++;
      continue;
    }
    if (char === "$") {
      if (at !== pattern.length - 1) return undefined;
      at++;
      continue;
    }
    if (char === "|") {
      if (depth === 0) return undefined;
      choices++;
      at++;
      continue;
    }
    if (char === "[") atom = CLASS.exec(rest)?.[0] ?? "";
    else if (char === "\\") atom = ESCAPE.exec(rest)?.[0] ?? "";
    else if (!"*+?{}]".includes(char) && char.charCodeAt(0) < 128) atom = char;
    if (atom === "") return undefined;
    if (atom.startsWith("[") && (atom.includes("[:") || atom.includes("&&"))) return undefined;
    at += atom.length;
    const q = QUANTIFIER.exec(pattern.slice(at))?.[0];
    if (q === undefined) continue;
    if (q.startsWith("{") && /,\}$/.test(q)) return undefined;
    if (q.startsWith("*") || q.startsWith("+") || q.startsWith("{")) {
      repeats++;
    } else choices++;
    at += q.length;
    if (QUANTIFIER.test(pattern.slice(at))) return undefined;
  }
  return depth === 0 ? { repeats, choices } : undefined;
}

/** The longest input that V8 may be given for this pattern; 0 = none. */
export function longestForV8(pattern: string): number {
  const found = scan(pattern);
  return found === undefined || found.choices > MAX_CHOICES ? 0 : (LONGEST[found.repeats] ?? 0);
}
