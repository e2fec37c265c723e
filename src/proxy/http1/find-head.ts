// Where a head ends in bytes read as latin1, and what no head may hold (RFC 9112 section 2.2).

/** Controls that no head may hold. A bare CR or a folded line is found where lines are read. */
// eslint-disable-next-line no-control-regex
const BAD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const BARE_LF = /[^\r]\n/;
const BARE_LF_ALL = /\r?\n/g;
const HEAD_END = /\r?\n\r?\n/;

/** What `findHead` found: `end` < 0 = not complete. */
export interface HeadEnd {
  /** The head's text; lines that ended in a bare LF end in CRLF now. */
  text: string;
  /** Index of the CRLF CRLF in `text`. */
  end: number;
  /** Where the body starts in the bytes. */
  bodyAt: number;
  /** It holds what no head may. */
  bad: boolean;
  /** Every byte of it was looked at: else whoever reads it finds out, and asks `examineHead`. */
  sure: boolean;
}

/** What a head was found in; `bytes` is `data` as latin1, as far as it was read. */
export interface HeadSource {
  readonly data: Uint8Array;
  readonly bytes: string;
}

/** The source's bytes that `text` stands for, place by place. */
export function bytesOf(text: string, { data, bytes }: HeadSource): Uint8Array {
  return text === bytes ? data : Buffer.from(text, "latin1");
}

const found: HeadEnd = { text: "", end: -1, bodyAt: 0, bad: false, sure: false };

/** Finds the end of the head in bytes read as latin1. The result is shared: use it at once. */
export function findHead(bytes: string): HeadEnd {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return examineHead(bytes);
  found.bad = false;
  found.sure = false;
  found.text = bytes;
  found.end = end;
  found.bodyAt = end + 4;
  return found;
}

/** As `findHead`, and refuses what no head may hold: for heads that are not as nearly all are. */
export function examineHead(bytes: string): HeadEnd {
  const end = bytes.indexOf("\r\n\r\n");
  found.bad = false;
  found.sure = true;
  found.text = bytes;
  found.end = end;
  found.bodyAt = end + 4;
  const head = end < 0 ? bytes : end + 4 === bytes.length ? bytes : bytes.slice(0, end + 4);
  if (BARE_LF.test(head) || head.charCodeAt(0) === 10) return findLenientHead(bytes);
  if (end >= 0 && BAD.test(head)) found.bad = true;
  return found;
}

// A bare LF ends a line too (RFC 9112 section 2.2, and Envoy's parser takes it): the text is made regular before anybody reads it.
function findLenientHead(bytes: string): HeadEnd {
  const blank = HEAD_END.exec(bytes);
  if (blank === null) {
    found.end = -1;
    return found;
  }
  found.bodyAt = blank.index + blank[0].length;
  found.text = bytes.slice(0, found.bodyAt).replace(BARE_LF_ALL, "\r\n");
  found.end = found.text.length - 4;
  found.bad = BAD.test(found.text);
  return found;
}
