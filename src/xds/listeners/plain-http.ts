// What the HTTP inspector calls plain HTTP. HTTP/1.0 is among it where it is taken: elsewhere it passes as bytes instead of being refused.
import type { MeshSettings } from "../../model/index.ts";

const PLAIN: readonly string[] = ["http/1.1", "h2c"];
const WITH_HTTP10: readonly string[] = ["http/1.0", ...PLAIN];

export function plainHttp({ http10 }: MeshSettings): readonly string[] {
  return http10 ? WITH_HTTP10 : PLAIN;
}
