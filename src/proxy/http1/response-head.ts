// A response head from an upstream: status line and framing, strict, because a response that two readers see differently poisons the next one.
import { bytesOf, examineHead, type HeadEnd, type HeadSource } from "./find-head.ts";
import type { Head } from "./head.ts";
import { isValueByte } from "./name-table.ts";

/**
 * Fills `head` with what `findHead` has found in the source. False = the upstream broke the protocol. A head that cannot be read as it came is examined:
 * `found` then says more.
 */
export function readResponseHead(head: Head, found: HeadEnd, source: HeadSource): boolean {
  if (found.bad) return false;
  if (parse(head, found, bytesOf(found.text, source))) return true;
  if (found.sure || examineHead(source.bytes).text === source.bytes) return false;
  return !found.bad && parse(head, found, bytesOf(found.text, source));
}

function parse(head: Head, found: HeadEnd, bytes: Uint8Array): boolean {
  const { text } = found;
  head.text = text;
  head.end = found.end;
  if (!text.startsWith("HTTP/1.")) return false;
  const minor = text.charCodeAt(7) - 48;
  if ((minor !== 0 && minor !== 1) || text.charCodeAt(8) !== 32) return false;
  const status = (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + (text.charCodeAt(11) - 48);
  if (!(status >= 100 && status <= 999)) return false;
  const after = text.charCodeAt(12);
  if (after !== 32 && after !== 13) return false;
  let eol = 12;
  while (isValueByte(bytes[eol] as number)) eol++;
  if (bytes[eol] !== 13 || bytes[eol + 1] !== 10) return false;
  head.minor = minor;
  head.status = status;
  if (head.parseLines(bytes, eol + 2, false) !== 0) return false;
  // Where no body can follow, nothing may announce one.
  return status !== 204 || (head.contentLength <= 0 && !head.chunked);
}
