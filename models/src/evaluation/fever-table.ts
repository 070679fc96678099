import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';

/** Column of the reference: oral thermometer, monitor mode, mean of two readings, °C. */
const REFERENCE = 'aveOralM';
/** The header may follow titles. */
const MAX_TITLE_LINES = 20;
/** A temperature of a face or a mouth lies within these, °C. */
const FACE_C = { low: 20, high: 45 };
/** A file with more rows than this share that cannot be read is not what it is said to be. */
const MAX_BROKEN_SHARE = 0.2;
const MIN_SUBJECTS = 10;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

export interface FeverSubject {
  /** From the column SubjectID; else the number of the row. */
  readonly id: string;
  /** °C. */
  readonly oralC: number;
  /** Temperatures of each region, one a round; what was not measured is left out. */
  readonly regions: ReadonlyMap<string, readonly number[]>;
}

/** One file: the subjects of one camera in the order of the rows. */
export interface FeverTable {
  readonly name: string;
  readonly regions: readonly string[];
  readonly subjects: readonly FeverSubject[];
  /** Rows without reference, and rows that could not be read. */
  readonly skippedRows: number;
}

/**
 * Reads every CSV file of a folder that has a column `aveOralM` and, for each region and round, a column `REGIONn` or
 * `REGION_n`.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID
 */
export async function loadFeverTables(folder: string): Promise<FeverTable[]> {
  const names = await listTables(folder);
  const tables: FeverTable[] = [];
  const complaints: string[] = [];
  for (const name of names) {
    const table = parseFeverTable(name, await readText(join(folder, name)));
    if (typeof table === 'string') complaints.push(`${name}: ${table}`);
    else tables.push(table);
  }
  if (tables.length === 0) {
    const why = complaints.length > 0 ? complaints.slice(0, 3).join('; ') : 'there is no .csv file';
    throw new NgatuError('TRUTH_INVALID', `Cannot evaluate fever on ${folder}: ${why}`);
  }
  return tables;
}

async function listTables(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && entry.name.toLowerCase().endsWith('.csv'))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${folder}: ${errorMessage(cause)}`, {
      cause,
    });
  }
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new NgatuError(
      'TRUTH_INVALID',
      `Cannot accept ${file}: ${bytes.length} bytes are no table of subjects`,
    );
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
  return new TextDecoder(isWide ? 'utf-16le' : 'utf-8').decode(bytes);
}

/** The table of a file's text, or why there is none. */
export function parseFeverTable(name: string, text: string): FeverTable | string {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => /[^,;\t"\s]/.test(line));
  const headIndex = lines.slice(0, MAX_TITLE_LINES).findIndex((line) => line.includes(REFERENCE));
  const head = lines[headIndex];
  if (head === undefined) return `it has no column ${REFERENCE}`;
  const delimiter = [',', ';', '\t'].find((sign) => head.split(sign).length > 2) ?? ',';
  const columns = splitCells(head, delimiter);
  const layout = readLayout(columns);
  if (layout.regions.size === 0) return 'it has no columns of facial temperatures';
  const rows = lines.slice(headIndex + 1);
  const subjects: FeverSubject[] = [];
  let broken = 0;
  for (const [index, line] of rows.entries()) {
    const cells = splitCells(line, delimiter);
    if (cells.length < columns.length / 2) broken++;
    const subject = readSubject(cells, layout, index);
    if (subject !== undefined) subjects.push(subject);
  }
  const skippedRows = rows.length - subjects.length;
  if (broken > MAX_BROKEN_SHARE * rows.length) return `${broken} of its ${rows.length} rows are cut short`;
  if (subjects.length < MIN_SUBJECTS)
    return `only ${subjects.length} of its ${rows.length} rows hold a reference and a facial temperature`;
  return { name, regions: findMeasured(layout, subjects), subjects, skippedRows };
}

function splitCells(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((cell) => cell.replaceAll('"', '').trim());
}

interface Layout {
  readonly reference: number;
  readonly id?: number;
  readonly regions: ReadonlyMap<string, readonly number[]>;
}

function readLayout(columns: readonly string[]): Layout {
  const regions = new Map<string, number[]>();
  const named = columns.map((column) => /^([A-Za-z][A-Za-z0-9_]*?)_?([1-9])$/.exec(column)?.[1]);
  const known = new Set(named);
  for (const [index, base] of named.entries()) {
    if (base === undefined) continue;
    // "T_LC14" is round 4 of "T_LC", as it is spelled in the published files
    const shorter = base.replace(/[1-9]$/, '');
    const region = shorter !== base && known.has(shorter) && !hasRound(columns, base, '1') ? shorter : base;
    regions.set(region, [...(regions.get(region) ?? []), index]);
  }
  const id = columns.findIndex((column) => /^subject_?id$/i.test(column));
  const reference = columns.findIndex((column) => column.includes(REFERENCE));
  return { reference, regions, ...(id < 0 ? {} : { id }) };
}

function hasRound(columns: readonly string[], base: string, round: string): boolean {
  return columns.includes(`${base}${round}`) || columns.includes(`${base}_${round}`);
}

function readSubject(cells: readonly string[], layout: Layout, index: number): FeverSubject | undefined {
  const oralC = readFaceTemperature(cells[layout.reference]);
  if (oralC === undefined) return undefined;
  const regions = new Map<string, number[]>();
  for (const [region, columns] of layout.regions) {
    const rounds = columns.flatMap((column) => readFaceTemperature(cells[column]) ?? []);
    if (rounds.length > 0) regions.set(region, rounds);
  }
  if (regions.size === 0) return undefined;
  const id = layout.id === undefined ? undefined : cells[layout.id];
  return { id: id === undefined || id === '' ? `row ${index + 1}` : id, oralC, regions };
}

function readFaceTemperature(cell: string | undefined): number | undefined {
  if (cell === undefined || cell === '') return undefined;
  const value = Number(cell);
  return value >= FACE_C.low && value <= FACE_C.high ? value : undefined;
}

/** The regions that at least half of the subjects have: others (offsets, ages) are no temperatures of a face. */
function findMeasured(layout: Layout, subjects: readonly FeverSubject[]): string[] {
  return [...layout.regions.keys()].filter(
    (region) => subjects.filter((subject) => subject.regions.has(region)).length * 2 >= subjects.length,
  );
}
