// Unix sockets as Envoy's `pipe` addresses name them: a path, or `@name` for one without a file. Such an address has no port.
const SLASH = 47;
const AT = 64;

export function isSocketPath(host: string): boolean {
  const first = host.charCodeAt(0);
  return first === SLASH || first === AT;
}

/** As the system takes it: what has no file begins with a zero byte. */
export function systemPath(host: string): string {
  return host.startsWith("@") ? `\0${host.slice(1)}` : host;
}
