// Field paths as issues show them: `spec.http[0].match[1].headers.cookie`, keys that are no plain words as `labels["a.b/c"]`.
const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function joinPath(base: string, key: string | number): string {
  if (typeof key === "number") return `${base}[${key}]`;
  if (!PLAIN.test(key)) return `${base}[${JSON.stringify(key)}]`;
  return base === "" ? key : `${base}.${key}`;
}

/** The path of something further down. */
export function extendPath(base: string, ...segments: readonly (string | number)[]): string {
  return segments.reduce<string>(joinPath, base);
}

export function pathOf(...segments: readonly (string | number)[]): string {
  return segments.reduce<string>(joinPath, "");
}

/** Segments of a path; lenient, so that `labels[a.b/c]` works too. Numbers in brackets are indices. */
export function splitPath(path: string): (string | number)[] {
  const segments: (string | number)[] = [];
  let at = 0;
  while (at < path.length) {
    if (path[at] === ".") {
      at++;
      continue;
    }
    if (path[at] !== "[") {
      let end = at;
      while (end < path.length && path[end] !== "." && path[end] !== "[") end++;
      segments.push(path.slice(at, end));
      at = end;
      continue;
    }
    const quoted = /^\[("(?:[^"\\]|\\.)*")\]/.exec(path.slice(at));
    if (quoted?.[1] !== undefined) {
      segments.push(unquote(quoted[1]));
      at += quoted[0].length;
      continue;
    }
    const close = path.indexOf("]", at);
    const inner = path.slice(at + 1, close === -1 ? path.length : close);
    segments.push(/^\d+$/.test(inner) ? Number(inner) : inner);
    at = close === -1 ? path.length : close + 1;
  }
  return segments;
}

function unquote(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
