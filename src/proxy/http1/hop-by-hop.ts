// What only concerns the caller's connection is taken out before anything is matched: headers that `connection` nominates (RFC 9110 section 7.6.1), and
// all of `te` but `trailers`. As Envoy: what an attacker would rather hide cannot be nominated.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#te
import { H_CONNECTION, H_TE } from "../http/header-kinds.ts";
import type { Head } from "./head.ts";

const MAX_OPTIONS = 10;
const MAX_TE = 256;
/** Options that name no header of their own here. */
const KEPT: ReadonlySet<string> = new Set(["close", "connection", "http2-settings", "keep-alive", "te", "upgrade"]);
/** Without these the request would be another one, or its origin would be hidden. */
const PROTECTED: ReadonlySet<string> = new Set([
  "content-length",
  "host",
  "transfer-encoding",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

/** Rewrites the head's text. False: it is refused. */
export function dropHopByHop(head: Head): boolean {
  const options: string[] = [];
  let te = "";
  for (let i = 0; i < head.specials; i++) {
    const line = head.special[i] as number;
    if (head.kind[line] === H_CONNECTION) options.push(...splitList(head.valueAt(line)));
    if (head.kind[line] === H_TE) te += `,${head.valueAt(line)}`;
  }
  if (options.length >= MAX_OPTIONS) return false;
  const gone = new Set(options.filter((option) => !KEPT.has(option)));
  for (const name of gone) if (PROTECTED.has(name) || name.startsWith(":")) return false;
  if (options.includes("te") && te.length > MAX_TE) return false;
  if (te !== "") gone.add("te");
  if (head.upgradeRequested && head.upgrade.toLowerCase() === "h2c") gone.add("http2-settings");
  head.keepLines((line) => !gone.has(head.nameAt(line)), splitList(te).includes("trailers") ? "te: trailers\r\n" : "");
  return true;
}

function splitList(value: string): string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
