// Why a connection could not be made, in the words of Envoy's logs.
const TEXTS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "Connection refused"],
  ["ECONNRESET", "Connection reset by peer"],
  ["ETIMEDOUT", "Connection timed out"],
  ["EHOSTUNREACH", "No route to host"],
  ["ENETUNREACH", "Network is unreachable"],
  ["EADDRNOTAVAIL", "Cannot assign requested address"],
  ["EACCES", "Permission denied"],
  ["EPERM", "Operation not permitted"],
  ["EMFILE", "Too many open files"],
  ["ENFILE", "Too many open files in system"],
]);

export function connectErrorText({ code = "" }: NodeJS.ErrnoException): string {
  return `delayed_connect_error:_${(TEXTS.get(code) ?? code).replaceAll(" ", "_")}`;
}
