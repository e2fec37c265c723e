// A response head from an upstream: status line and framing, strict, because a response that two readers see differently poisons the next one.
import type { Head } from "./head.ts";

/** Fills `head` from its text. False = the upstream broke the protocol. */
export function parseResponseHead(head: Head): boolean {
  const text = head.text;
  if (!text.startsWith("HTTP/1.")) return false;
  const minor = text.charCodeAt(7) - 48;
  if ((minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 32) return false;
  const status = (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + (text.charCodeAt(11) - 48);
  if (!(status >= 100 && status <= 999)) return false;
  const after = text.charCodeAt(12);
  if (after !== 32 && after !== 13) return false;
  const eol = text.indexOf("\r");
  if (text.charCodeAt(eol + 1) !== 10) return false;
  head.minor = minor;
  head.status = status;
  if (head.parseLines(eol + 2, false) !== 0) return false;
  // Where no body can follow, nothing may announce one.
  return status !== 204 || (head.contentLength <= 0 && !head.chunked);
}
