/** How the numbers of a text are written. What is absent is found out. */
export interface TableFormat {
  readonly delimiter?: ',' | ';' | '\t' | ' ';
  readonly decimal?: '.' | ',';
}

export interface NumberTable {
  readonly width: number;
  readonly height: number;
  /** Row-major; NaN where a cell holds no number. */
  readonly values: Float32Array;
  /** The text before the table: titles, units. */
  readonly words: string;
}

const DELIMITERS = [',', ';', '\t', ' '] as const;
const MIN_COLUMNS = 8;
/** Lines before the table: a header longer than this belongs to no camera's export. */
const MAX_HEADER_LINES = 500;
const MAX_ROWS = 8_192;
/** A row whose cells are mostly no numbers is not part of the table. */
const MIN_NUMBERS = 0.5;

/** The largest block of equally long rows of numbers in a text; undefined where there is none. */
export function findNumberTable(text: string, format: TableFormat): NumberTable | undefined {
  const lines = text.split(/\r\n|\n|\r/, MAX_HEADER_LINES + MAX_ROWS).map(stripQuotes);
  const delimiters = format.delimiter === undefined ? DELIMITERS : [format.delimiter];
  let best: Block | undefined;
  for (const delimiter of delimiters) {
    const decimal = format.decimal ?? guessDecimal(lines, delimiter);
    const block = findBlock(lines, delimiter, decimal);
    if (
      block !== undefined &&
      block.rows.length * block.width > (best?.rows.length ?? 0) * (best?.width ?? 0)
    )
      best = block;
  }
  return best === undefined ? undefined : buildTable(best, lines);
}

/** Some exports quote whole lines, some every number. */
function stripQuotes(line: string): string {
  if (!line.includes('"')) return line;
  if (/^"[^"]*"$/.test(line)) return line.slice(1, -1);
  return line.replace(/"(-?\d+),(\d+)"/g, '$1.$2').replaceAll('"', '');
}

function guessDecimal(lines: readonly string[], delimiter: string): '.' | ',' {
  if (delimiter === ',') return '.';
  const sample = lines.slice(0, MAX_HEADER_LINES);
  const commas = sample.filter((line) => /\d,\d/.test(line)).length;
  const points = sample.filter((line) => /\d\.\d/.test(line)).length;
  return commas > points ? ',' : '.';
}

interface Block {
  readonly firstLine: number;
  readonly width: number;
  readonly rows: readonly Float64Array[];
}

function findBlock(lines: readonly string[], delimiter: string, decimal: '.' | ','): Block | undefined {
  let best: Block | undefined;
  let rows: Float64Array[] = [];
  let firstLine = 0;
  const close = (): void => {
    const width = rows[0]?.length ?? 0;
    if (rows.length * width > (best?.rows.length ?? 0) * (best?.width ?? 0))
      best = { firstLine, width, rows };
    rows = [];
  };
  for (const [index, line] of lines.entries()) {
    const cells = readCells(line, delimiter, decimal);
    if (cells === undefined || (rows[0] !== undefined && rows[0].length !== cells.length)) close();
    if (cells === undefined) continue;
    if (rows.length === 0) firstLine = index;
    rows.push(cells);
  }
  close();
  return best;
}

/** The numbers of a line; undefined where it is not a row. A delimiter at the end opens no cell. */
function readCells(line: string, delimiter: string, decimal: '.' | ','): Float64Array | undefined {
  const trimmed = delimiter === ' ' || delimiter === '\t' ? line.trim() : line.trimEnd();
  const parts = delimiter === ' ' ? trimmed.split(/ +/) : trimmed.split(delimiter);
  if (parts.at(-1)?.trim() === '') parts.pop();
  if (parts.length < MIN_COLUMNS) return undefined;
  const cells = Float64Array.from(parts, (part) => readNumber(part, decimal));
  const numbers = cells.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  return numbers >= MIN_NUMBERS * cells.length ? cells : undefined;
}

const NUMBER = /^[+-]?\d{1,6}(\.\d{0,9})?(e[+-]?\d{1,2})?$/i;

function readNumber(text: string, decimal: '.' | ','): number {
  const trimmed = decimal === ',' ? text.trim().replace(',', '.') : text.trim();
  return NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
}

/** Leaves out a first row of column numbers and a first column of row numbers. */
function buildTable({ firstLine, width, rows }: Block, lines: readonly string[]): NumberTable {
  const [head] = rows;
  const from = head !== undefined && isNumbering(head.subarray(1)) ? 1 : 0;
  const body = rows.slice(from);
  const labels = Float64Array.from(body, (row) => row[0] ?? Number.NaN);
  const skip = isNumbering(labels) ? 1 : 0;
  const columns = width - skip;
  const values = new Float32Array(columns * body.length);
  for (const [y, row] of body.entries()) values.set(row.subarray(skip), y * columns);
  return { width: columns, height: body.length, values, words: lines.slice(0, firstLine).join('\n') };
}

/** 1, 2, 3 … or 0, 1, 2 … */
function isNumbering(values: Float64Array): boolean {
  if (values.length < MIN_COLUMNS) return false;
  const [first] = values;
  return (first === 0 || first === 1) && values.every((value, index) => value === first + index);
}
