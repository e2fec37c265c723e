// Cuts a text into YAML documents before anything is parsed, so that one broken document cannot swallow the next. YAML 1.2 (9.1.2) forbids
// `---` and `...` at the start of a line inside any document, block scalars included, so the cut needs no parser.
export interface DocumentText {
  readonly text: string;
  /** Lines of the file before this text. */
  readonly linesBefore: number;
}

export function splitDocuments(source: string, limit: number): { readonly documents: readonly DocumentText[]; readonly more: boolean } {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const documents: DocumentText[] = [];
  let start = 0;
  let startLine = 0;
  let line = 0;
  let more = false;

  function close(end: number): void {
    const part = text.slice(start, end);
    if (!hasContent(part)) return;
    if (documents.length === limit) more = true;
    else documents.push({ text: part, linesBefore: startLine });
  }

  for (let at = 0; at < text.length && !more;) {
    const newline = text.indexOf("\n", at);
    const next = newline === -1 ? text.length : newline + 1;
    if (isMarker(text, at)) {
      close(at);
      // What follows the marker on its line belongs to the document; the marker itself becomes blanks so that columns stay.
      start = at;
      startLine = line;
    }
    at = next;
    line++;
  }
  if (!more) close(text.length);
  return { documents, more };
}

function isMarker(text: string, at: number): boolean {
  if (!text.startsWith("---", at) && !text.startsWith("...", at)) return false;
  const after = text[at + 3];
  return after === undefined || after === "\n" || after === "\r" || after === " " || after === "\t";
}

/** False for blanks, comments and the marker alone. */
function hasContent(part: string): boolean {
  return /^(?!---|\.\.\.|[ \t]*(?:#|\r?$))[^\n]*\S/m.test(part) || /^(?:---|\.\.\.)[ \t]+[^#\s]/m.test(part);
}
