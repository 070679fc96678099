import { Composer, type Document, Lexer, type LineCounter, Parser } from 'yaml';

/** Deeper nesting is no configuration of ours: the deepest stands seven levels down. */
const MAX_DEPTH = 64;
/** A profile of 64 cameras with all its signals has some 15,000 words and marks. */
const MAX_LEXEMES = 30_000;
/** A text that is no YAML can be wrong at every word of it: so many places make it refused, and each costs a stack trace. */
const MAX_WRONG = 100;

/**
 * Parses one YAML document as `parseDocument` does, within bounds: the library recurses into what it reads, and nesting of some
 * thousand levels ends the whole process (V8 cannot compile a regular expression where the stack is nearly used up).
 * @throws RangeError past a bound
 */
export function parseBoundedYaml(text: string, lines: LineCounter): Document {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const documents: Document[] = [];
  lines.addNewLine(0);
  let lexemes = 0;
  let wrong = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > MAX_LEXEMES) throw new RangeError(`it has more than ${MAX_LEXEMES} words and marks`);
    for (const token of parser.next(lexeme))
      if (token.type !== 'error' || ++wrong <= MAX_WRONG) documents.push(...composer.next(token));
    if (parser.stack.length > MAX_DEPTH) {
      const { line } = lines.linePos(parser.offset);
      throw new RangeError(`line ${line}: it is nested deeper than ${MAX_DEPTH} levels`);
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token));
  documents.push(...composer.end(documents.length === 0, text.length));
  const [document, ...others] = documents;
  if (document === undefined) throw new RangeError('it holds no document');
  if (others.length > 0) throw new RangeError('it holds several documents');
  return document;
}
