import { readFile } from 'node:fs/promises';
import { Calibration, errorMessage, fillDefaults, findSchemaIssues, NgatuError } from '@ngatu/contract';
import { Document, isMap, isNode, isScalar, isSeq, LineCounter } from 'yaml';
import { parseBoundedYaml } from './yaml-document.ts';
import { readYamlFile, refuseFile } from './yaml-file.ts';

const MAX_ISSUES = 50;
/** `image x, image y, ground x, ground y`. */
const CSV_COLUMNS = 4;

/**
 * Reads calibration points: YAML with `pairs` and `lengths` as in a scene, or CSV with a pair a line
 * (`image x, image y, ground x, ground y`; a first line without numbers and lines after `#` are passed over).
 * @throws NgatuError FILE_UNREADABLE, CALIBRATION_INVALID with every line that is wrong
 */
export async function loadCalibrationPoints(file: string): Promise<Calibration> {
  if (file.toLowerCase().endsWith('.csv')) return checkCalibration(file, { pairs: await readCsv(file) });
  const source = await readYamlFile(file, 'CALIBRATION_INVALID');
  const value = fillDefaults(Calibration, source.value);
  const issues = findSchemaIssues(Calibration, value, MAX_ISSUES);
  if (issues.length > 0) throw refuseFile(source, 'CALIBRATION_INVALID', issues);
  return value as Calibration;
}

/**
 * The calibration points that stand in a scene file, whatever else is in it.
 * @throws NgatuError FILE_UNREADABLE, SCENE_INVALID (no YAML), CALIBRATION_INVALID (no calibration, or not of its form)
 */
export async function loadSceneCalibration(file: string): Promise<Calibration> {
  const { value } = await readYamlFile(file, 'SCENE_INVALID');
  const calibration =
    typeof value === 'object' && value !== null && 'calibration' in value ? value.calibration : undefined;
  if (calibration === undefined) {
    throw new NgatuError(
      'CALIBRATION_INVALID',
      `Cannot calibrate ${file}: it has no section "calibration" with pairs or lengths, and no file of them is named`,
    );
  }
  return checkCalibration(file, calibration);
}

/** The text of a scene with this calibration in place of its own; every other byte stays as it is. */
export function replaceCalibration(sceneText: string, calibration: Calibration): string {
  const section = formatSection(calibration);
  const { contents } = parseBoundedYaml(sceneText, new LineCounter());
  const entry = isMap(contents)
    ? contents.items.find(({ key }) => isScalar(key) && key.value === 'calibration')
    : undefined;
  const from = isScalar(entry?.key) ? entry.key.range?.[0] : undefined;
  const to = isNode(entry?.value) ? entry.value.range?.[2] : undefined;
  if (from === undefined || to === undefined) {
    return `${sceneText}${sceneText.endsWith('\n') ? '' : '\n'}${section}`;
  }
  return sceneText.slice(0, from) + section + sceneText.slice(to);
}

function formatSection(calibration: Calibration): string {
  const document = new Document({ calibration });
  for (const list of ['pairs', 'lengths'] as const) {
    const entries = document.getIn(['calibration', list]);
    if (!isSeq(entries)) continue;
    for (const entry of entries.items) if (isMap(entry)) entry.flow = true;
  }
  return document.toString({ lineWidth: 0 });
}

function checkCalibration(file: string, given: unknown): Calibration {
  const value = fillDefaults(Calibration, given);
  const issues = findSchemaIssues(Calibration, value, MAX_ISSUES);
  if (issues.length === 0) return value as Calibration;
  const list = issues.map(({ path, reason }) => `${path === '' ? '/' : path}: ${reason}`).join('; ');
  throw new NgatuError('CALIBRATION_INVALID', `Cannot accept the calibration in ${file}: ${list}`);
}

async function readCsv(file: string): Promise<Calibration['pairs']> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  });
  const wrong: string[] = [];
  const pairs = text.split(/\r?\n/).flatMap((line, index): Calibration['pairs'] => {
    const cells = line
      .replace(/#.*/, '')
      .split(/[,;\t]/)
      .map((cell) => cell.trim());
    if (cells.every((cell) => cell === '')) return [];
    const numbers = cells.map((cell) => (cell === '' ? Number.NaN : Number(cell)));
    const isHeader = index === 0 && numbers.every((number) => Number.isNaN(number));
    if (isHeader) return [];
    const [ix, iy, gx, gy] = numbers;
    const isPair = numbers.length === CSV_COLUMNS && numbers.every((number) => Number.isFinite(number));
    if (isPair && ix !== undefined && iy !== undefined && gx !== undefined && gy !== undefined) {
      return [{ image: [ix, iy], ground: [gx, gy] }];
    }
    wrong.push(`line ${index + 1}: Expected image x, image y, ground x, ground y`);
    return [];
  });
  if (wrong.length === 0) return pairs;
  throw new NgatuError(
    'CALIBRATION_INVALID',
    `Cannot accept ${file}: ${wrong.slice(0, MAX_ISSUES).join('; ')}`,
  );
}
