// The host that a request names.
const AUTHORITY = /^(?:\[([^\]]*)\]|(.*?))(?::(\d{1,5}))?$/s;
const LAST_PORT = 65_535;

/** `name:port` as the cache knows it, and its parts. What is no port is part of a name that nobody has. */
export function nameAndPort(
  authority: string,
  defaultPort: number,
): { readonly key: string; readonly name: string; readonly port: number } {
  const [, bracketed, plain = "", digits] = AUTHORITY.exec(authority) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port > LAST_PORT) return { key: `${authority}:${defaultPort}`, name: authority, port: defaultPort };
  const name = (bracketed ?? plain).toLowerCase();
  return { key: `${bracketed === undefined ? name : `[${name}]`}:${port}`, name, port };
}
