// Which values of `referer` go on to upstreams: what is no URL is dropped, as Envoy does.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers (as real Envoy 1.40 was seen to do it)

// eslint-disable-next-line no-control-regex
const NEVER = /[\x00-\x20\x7f-\xff]/;
const SCHEME = /^[^/?]*:/;
const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/@?(?:[a-z0-9.-]+|\[[0-9a-f]*:[0-9a-f:.]*\])(?::(\d{1,5}))?(?:[/?][^#]*#?)?$/i;
const MAX_PORT = 65_535;

/** One char per byte. */
export function isReferer(value: string): boolean {
  if (NEVER.test(value)) return false;
  if (!SCHEME.test(value)) return !value.includes("#");
  const match = ABSOLUTE.exec(value);
  return match !== null && Number(match[1] ?? 0) <= MAX_PORT;
}
