import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { findChild, parseXml, type XmlElement, XmlRefusal } from './mask-xml.ts';

/**
 * What a label says. `ignored` is a face whose wearing is none of the two: found or not, with or without, it counts in neither class. `left-out` may be
 * no face at all: what is found there counts nowhere.
 */
export type MaskLabel = 'with' | 'without' | 'ignored' | 'left-out';

/** A face of the truth; box xyxy, px of the picture. */
export interface LabelledFace {
  readonly label: MaskLabel;
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
}

export interface LabelledPicture {
  readonly file: string;
  readonly name: string;
  readonly faces: readonly LabelledFace[];
}

const PICTURE = /\.(jpe?g|png|webp)$/i;
const MAX_XML_BYTES = 4 * 1024 * 1024;
/** Names of the classes as public sets write them, without regard to case, blanks and strokes. */
const LABELS: ReadonlyMap<string, MaskLabel> = new Map([
  ['withmask', 'with'],
  ['mask', 'with'],
  ['facemask', 'with'],
  ['withoutmask', 'without'],
  ['nomask', 'without'],
  ['face', 'without'],
  ['facenomask', 'without'],
  ['maskwearedincorrect', 'ignored'],
  ['incorrectmask', 'ignored'],
  ['incorrect', 'ignored'],
]);

/**
 * Reads a folder with `images/` and `annotations/`, one Pascal VOC file a picture.
 * @throws NgatuError FILE_UNREADABLE, TRUTH_INVALID (file and line)
 */
export async function loadMaskFolder(dir: string): Promise<LabelledPicture[]> {
  const files = (await listFolder(join(dir, 'images'))).filter((file) => PICTURE.test(file)).sort();
  if (files.length === 0)
    throw new NgatuError('FILE_UNREADABLE', `Cannot evaluate masks on ${dir}: no picture in images/`);
  const annotations = new Set(await listFolder(join(dir, 'annotations')));
  const pictures: LabelledPicture[] = [];
  for (const name of files) {
    const xml = `${basename(name, extname(name))}.xml`;
    const path = join(dir, 'annotations', xml);
    // a picture that nobody labelled is not one without faces
    if (!annotations.has(xml))
      throw new NgatuError(
        'TRUTH_INVALID',
        `Cannot evaluate masks on ${dir}: ${name} has no annotations/${xml}`,
      );
    pictures.push({
      file: join(dir, 'images', name),
      name,
      faces: parseMaskAnnotation(await readText(path), path),
    });
  }
  return pictures;
}

/** The faces of one Pascal VOC file. @throws NgatuError TRUTH_INVALID */
export function parseMaskAnnotation(text: string, file: string): LabelledFace[] {
  const refuse = (reason: string): NgatuError =>
    new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: ${reason}`);
  let root: XmlElement;
  try {
    root = parseXml(text);
  } catch (error) {
    if (error instanceof XmlRefusal) throw refuse(error.message);
    throw error;
  }
  if (root.name !== 'annotation') throw refuse(`the element at the top is <${root.name}>, not <annotation>`);
  const objects = root.children.filter(({ name }) => name === 'object');
  return objects.map((object, at) => {
    const name = findChild(object, 'name')?.text ?? '';
    const label = LABELS.get(name.toLowerCase().replaceAll(/[\s_-]/g, ''));
    if (label === undefined)
      throw refuse(`object ${at + 1} is "${name.slice(0, 40)}", no class that is known`);
    const corners = findChild(object, 'bndbox');
    const read = (side: string): number => readNumber(corners && findChild(corners, side)?.text);
    const box = [read('xmin'), read('ymin'), read('xmax'), read('ymax')] as const;
    if (box.some((value) => !Number.isFinite(value)))
      throw refuse(`object ${at + 1} has no box of four numbers`);
    if (box[2] <= box[0] || box[3] <= box[1]) throw refuse(`the box of object ${at + 1} is empty`);
    return { label, box };
  });
}

function readNumber(text: string | undefined): number {
  return text !== undefined && /^-?\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
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
    const { size } = await stat(file);
    if (size > MAX_XML_BYTES) throw new NgatuError('TRUTH_INVALID', `Cannot accept ${file}: ${size} bytes`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof NgatuError) throw cause;
    throw new NgatuError('FILE_UNREADABLE', `Cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
}
