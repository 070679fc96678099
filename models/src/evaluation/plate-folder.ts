import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';

export interface LabelledPlate {
  /** Absolute path of the picture. */
  readonly file: string;
  readonly name: string;
  /** Separators removed, Đ as D. */
  readonly text: string;
  readonly layout: 'one-line' | 'two-line';
}

const LABELS_MAX_ROWS = 1_000_000;

/**
 * Reads a folder of plate crops: `images/` and `labels.csv` with the columns file, text and layout. Pictures without a row are not used.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID (file and line)
 */
export async function loadPlateFolder(dir: string): Promise<LabelledPlate[]> {
  const path = join(dir, 'labels.csv');
  let text: string;
  let files: Set<string>;
  try {
    text = await readFile(path, 'utf8');
    files = new Set(await readdir(join(dir, 'images')));
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate plates of ${dir}: ${errorMessage(cause)}`, {
      cause,
    });
  }
  return parsePlateLabels(text, path).map(({ name, line, ...plate }) => {
    if (!files.has(name))
      throw new NgatuError(
        'TRUTH_INVALID',
        `Cannot accept ${path}: line ${line} names images/${name}, which is not there`,
      );
    return { ...plate, name, file: join(dir, 'images', name) };
  });
}

/** Rows of `labels.csv`. @throws NgatuError TRUTH_INVALID (line) */
export function parsePlateLabels(
  text: string,
  file: string,
): (Pick<LabelledPlate, 'name' | 'text' | 'layout'> & { readonly line: number })[] {
  const refuse = (why: string): NgatuError =>
    new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: ${why}`);
  const [header = '', ...rows] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = splitRow(header).map((name) => name.toLowerCase());
  const [nameAt, textAt, layoutAt] = ['file', 'text', 'layout'].map((name) => columns.indexOf(name));
  if (
    nameAt === undefined ||
    textAt === undefined ||
    layoutAt === undefined ||
    Math.min(nameAt, textAt, layoutAt) < 0
  )
    throw refuse('its first line does not name the columns file, text and layout');
  if (rows.length > LABELS_MAX_ROWS) throw refuse(`it has more than ${LABELS_MAX_ROWS} rows`);
  const plates = rows.flatMap((row, index) => {
    if (row.trim() === '') return [];
    const line = index + 2;
    const cells = splitRow(row);
    const [name = '', written = '', kind = ''] = [cells[nameAt], cells[textAt], cells[layoutAt]];
    if (name === '' || /[\\/\0]/.test(name) || name === '..')
      throw refuse(`line ${line} names no file of images/`);
    const plain = canonicalisePlate(written);
    if (plain === '') throw refuse(`line ${line} has no text`);
    const layout = readLayout(kind);
    if (layout === undefined)
      throw refuse(`line ${line}: layout "${kind.slice(0, 40)}" is neither of one line nor of two`);
    return [{ name, text: plain, layout, line }];
  });
  if (plates.length === 0) throw refuse('it names no plate');
  return plates;
}

/** Upper case, Đ as D, nothing but letters and figures. */
function canonicalisePlate(text: string): string {
  return text
    .toUpperCase()
    .replaceAll('Đ', 'D')
    .replaceAll(/[^0-9A-Z]/g, '');
}

function readLayout(text: string): 'one-line' | 'two-line' | undefined {
  const word = text.toLowerCase();
  if (/two|(?:^|\D)2/.test(word)) return 'two-line';
  return /one|(?:^|\D)1|long/.test(word) ? 'one-line' : undefined;
}

/** Cells of a row; a cell in quotes may hold commas. */
function splitRow(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    (quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"')).trim(),
  );
}
