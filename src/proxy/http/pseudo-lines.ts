// What matchers and formats read of a request under the names of HTTP/2's pseudo headers, whatever version it came in.
import type { RequestHead } from "./message.ts";

/** `host` is another name of the authority. undefined = the name is that of a header. */
export function pseudoLines(
  head: Pick<RequestHead, "method" | "path" | "authority" | "scheme">,
  name: string,
): readonly string[] | undefined {
  switch (name) {
    case ":path":
      return [head.path];
    case ":method":
      return [head.method];
    case ":authority":
    case "host":
      return [head.authority];
    case ":scheme":
      return [head.scheme];
    default:
      return undefined;
  }
}
