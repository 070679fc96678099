import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { parseClassList, parseYoloYamlNames } from './yolo-names.ts';

/** A labelled object; box xyxy as shares 0–1 of the picture. */
export interface YoloObject {
  /** Class index of the label file. */
  readonly index: number;
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
}

export interface YoloPicture {
  /** Absolute path of the picture. */
  readonly file: string;
  readonly name: string;
  readonly objects: readonly YoloObject[];
}

/** A folder with `images/` and `labels/`, one text file a picture; class names where the folder tells them. */
export interface YoloFolder {
  readonly pictures: readonly YoloPicture[];
  /** By class index; from `data.yaml` (`names:`) or `classes.txt`. A hole is a class that the folder does not name. */
  readonly names: readonly string[];
}

const PICTURE = /\.(jpe?g|png|webp)$/i;
const YAML_NAMES = ['data.yaml', 'data.yml', 'dataset.yaml'];
const LIST_NAMES = ['classes.txt', 'obj.names'];

/**
 * Reads a YOLO folder, or of it the pictures that are named in `only`. A picture without a label file has no objects; polygons are taken for the boxes
 * around them.
 * @throws NgatuError FILE_UNREADABLE (also of a picture in `only` that is not there), TRUTH_INVALID (file and line)
 */
export async function loadYoloFolder(dir: string, only?: ReadonlySet<string>): Promise<YoloFolder> {
  const all = (await listFolder(join(dir, 'images'))).filter((file) => PICTURE.test(file)).sort();
  const files = only === undefined ? all : all.filter((file) => only.has(file));
  const missing = only === undefined ? [] : [...only].filter((file) => !files.includes(file));
  if (files.length === 0 || missing.length > 0)
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot evaluate ${dir}: no picture ${missing[0] === undefined ? '' : `"${missing[0]}" `}in images/`,
    );
  const labels = new Set(await listFolder(join(dir, 'labels')));
  const pictures: YoloPicture[] = [];
  for (const file of files) {
    const label = `${basename(file, extname(file))}.txt`;
    const path = join(dir, 'labels', label);
    const objects = labels.has(label) ? parseYoloLabels(await readText(path), path) : [];
    pictures.push({ file: join(dir, 'images', file), name: file, objects });
  }
  return { pictures, names: await readNames(dir) };
}

/**
 * One object a line: class, then centre, width and height (and a confidence that is not looked at), or the corners of a polygon;
 * shares 0–1. What lies outside the picture is cut off; an object of which nothing is left is left out.
 */
export function parseYoloLabels(text: string, file: string): YoloObject[] {
  return text.split(/\r?\n/).flatMap((line, number): YoloObject[] => {
    const words = line.trim().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const values = words.map(Number);
    const [index = Number.NaN, ...shape] = values;
    const isBox = shape.length === 4 || shape.length === 5;
    const isPolygon = shape.length >= 6 && shape.length % 2 === 0;
    if (
      !Number.isInteger(index) ||
      index < 0 ||
      values.some((v) => !Number.isFinite(v)) ||
      !(isBox || isPolygon)
    ) {
      throw new NgatuError(
        'TRUTH_INVALID',
        `Cannot accept ${file}: line ${number + 1} is neither a class with a box nor one with a polygon`,
      );
    }
    const box = isBox ? boxOf(shape) : aroundPolygon(shape);
    // a box without any area can be found by nobody
    return box[2] > box[0] && box[3] > box[1] ? [{ index, box }] : [];
  });
}

function boxOf([x = 0, y = 0, w = 0, h = 0]: readonly number[]): YoloObject['box'] {
  return [clamp(x - w / 2), clamp(y - h / 2), clamp(x + w / 2), clamp(y + h / 2)];
}

function aroundPolygon(values: readonly number[]): YoloObject['box'] {
  const xs = values.filter((_, index) => index % 2 === 0);
  const ys = values.filter((_, index) => index % 2 === 1);
  // a polygon may have more corners than a call takes arguments
  const least = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b));
  const most = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b));
  return [clamp(least(xs)), clamp(least(ys)), clamp(most(xs)), clamp(most(ys))];
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

async function readNames(dir: string): Promise<string[]> {
  const files = await listFolder(dir);
  const find = (names: readonly string[]): string | undefined =>
    files.find((file) => names.includes(file.toLowerCase()));
  const yaml = find(YAML_NAMES);
  const names = yaml === undefined ? [] : parseYoloYamlNames(await readText(join(dir, yaml)));
  if (names.length > 0) return names;
  const list = find(LIST_NAMES);
  return list === undefined ? [] : parseClassList(await readText(join(dir, list)));
}

async function listFolder(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read folder ${dir}: ${errorMessage(cause)}`, { cause });
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
}
