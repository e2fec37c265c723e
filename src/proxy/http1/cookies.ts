// The value of a cookie as Envoy reads it: the first of its name in all lines, without the quotes around it.
const SPACES = /^ +/;

/** "" when there is none, or when it is empty. */
export function cookieValue(lines: readonly string[], name: string): string {
  for (const line of lines) {
    for (const part of line.split(";")) {
      const equals = part.indexOf("=");
      if (equals < 0 || part.slice(0, equals).replace(SPACES, "") !== name) continue;
      const value = part.slice(equals + 1);
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return "";
}
