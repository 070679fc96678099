import { readFile } from 'node:fs/promises';
import { type ErrorCode, errorMessage, NgatuError } from '@ngatu/contract';

/** xyxy, source pixels. */
export type MotBox = readonly [x1: number, y1: number, x2: number, y2: number];

/** One line of a MOTChallenge text file (arXiv 1504.01942, table 3; arXiv 1603.00831, table 5). */
export interface MotRow {
  /** From 1. */
  readonly frame: number;
  /** Absent in a file of detections. */
  readonly id?: number;
  readonly box: MotBox;
  /** Confidence of a detection; in a truth file the flag: 0 is not to be counted. */
  readonly confidence: number;
  /** What the object is; given in truth files of MOT16 and later, which have nine columns. */
  readonly classId?: number;
}

/** A frame, an identity and where it is: what scores compare. */
export interface MotTrackRow {
  readonly frame: number;
  readonly id: number;
  readonly box: MotBox;
}

const MIN_COLUMNS = 6;
/** Columns of a truth file of MOT16 and later; the ten of MOT15 end with a point in the world. */
const COLUMNS_WITH_CLASS = 9;
const MAX_FRAME = 1_000_000;

/**
 * Reads `frame, id, left, top, width, height, confidence, …` lines, parted by commas or blanks; empty lines are skipped.
 * @throws NgatuError `code` where a line is not of that form, with its number
 */
export function parseMotText(text: string, { code, what }: { code: ErrorCode; what: string }): MotRow[] {
  const rows: MotRow[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const trimmed = line.replace(/^\uFEFF/, '').trim();
    if (trimmed === '') return;
    const row = parseLine(trimmed);
    if (typeof row === 'string')
      throw new NgatuError(code, `Cannot accept ${what}, line ${index + 1}: ${row}`);
    rows.push(row);
  });
  return rows;
}

function parseLine(line: string): MotRow | string {
  const cells = line
    .split(/\s*[,;]\s*|\s+/)
    .filter((cell, index, all) => cell !== '' || index < all.length - 1);
  const values = cells.map((cell) => (cell === '' ? Number.NaN : Number(cell)));
  if (values.length < MIN_COLUMNS) return `${values.length} columns, at least ${MIN_COLUMNS} expected`;
  const [frame = 0, id = -1, x = 0, y = 0, width = 0, height = 0, confidence = 1] = values;
  if (![frame, id, x, y, width, height, confidence].every(Number.isFinite))
    return 'one of the first seven columns is no number';
  if (!Number.isInteger(frame) || frame < 1 || frame > MAX_FRAME)
    return `frame ${frame} is not 1–${MAX_FRAME}`;
  if (width < 0 || height < 0) return `the box is ${width} × ${height}`;
  const classId = values.length === COLUMNS_WITH_CLASS ? values[7] : undefined;
  return {
    frame,
    box: [x, y, x + width, y + height],
    confidence,
    ...(Number.isInteger(id) && id >= 0 ? { id } : {}),
    ...(classId !== undefined && Number.isInteger(classId) && classId >= 1 ? { classId } : {}),
  };
}

/** @throws NgatuError FILE_UNREADABLE, `code` where a line is not of the form */
export async function loadMotText(
  file: string,
  { code, what }: { code: ErrorCode; what: string },
): Promise<MotRow[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${what} ${file}: ${errorMessage(cause)}`, { cause });
  }
  return parseMotText(text, { code, what: `${what} ${file}` });
}

/** Result lines of MOTChallenge: confidence 1, no point in the world. */
export function formatMotText(rows: readonly MotTrackRow[]): string {
  return rows
    .map(({ frame, id, box: [x1, y1, x2, y2] }) => {
      const cells = [x1, y1, x2 - x1, y2 - y1].map((value) => Math.round(value * 100) / 100);
      return `${[frame, id, ...cells, 1, -1, -1, -1].join(',')}\n`;
    })
    .join('');
}
