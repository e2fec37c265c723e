// Reads only the tokens of a document and stops at the first one that goes too deep, before anything recursive sees it.
import { Lexer, Parser } from "yaml";

/** True when mappings and sequences nest deeper than `limit`. Never throws; broken text is the composer's to report. */
export function isTooDeep(text: string, limit: number): boolean {
  // Nothing can nest deeper than it has openers or indentation steps; most documents are done here.
  if (maxNestingBound(text) <= limit) return false;
  const parser = new Parser();
  try {
    for (const lexeme of new Lexer().lex(text)) {
      for (const _token of parser.next(lexeme)) {
        // Documents are ignored here; the stack is what counts.
      }
      if (countCollections(parser) > limit) return true;
    }
  } catch {
    return false;
  }
  return false;
}

function countCollections(parser: Parser): number {
  if (parser.stack.length <= 1) return 0;
  let count = 0;
  for (const token of parser.stack) {
    if (token.type === "block-map" || token.type === "block-seq" || token.type === "flow-collection") count++;
  }
  return count;
}

/** An upper bound: all openers plus the widest indentation plus the most dashes in a line. */
function maxNestingBound(text: string): number {
  let openers = 0;
  let widest = 0;
  for (let at = 0, column = 0, leading = true; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 10) {
      column = 0;
      leading = true;
      continue;
    }
    column++;
    if (char === 91 || char === 123) openers++;
    // Blanks, dashes and question marks at the start of a line open nested blocks.
    if (leading) {
      if (char === 32 || char === 45 || char === 63) widest = Math.max(widest, column);
      else leading = false;
    }
  }
  return openers + widest + 2;
}
