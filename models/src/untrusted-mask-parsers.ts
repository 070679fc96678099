import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UntrustedParser } from '@ngatu/contract';
import { loadFaceList } from './evaluation/face-list.ts';
import { loadMaskAnnotation } from './evaluation/mask-annotation.ts';
import { loadMaskFolder, parseMaskAnnotation } from './evaluation/mask-folder.ts';
import { parseXml, XmlRefusal } from './evaluation/mask-xml.ts';

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (input: Uint8Array): string => Buffer.from(input).toString('utf8');

const object = (name: string, box: readonly number[]): string =>
  `<object><name>${name}</name><bndbox>${['xmin', 'ymin', 'xmax', 'ymax']
    .map((side, at) => `<${side}>${box[at]}</${side}>`)
    .join('')}</bndbox></object>`;
const VOC = `<annotation><folder>images</folder><size><width>400</width></size>${object('with_mask', [3, 4, 30, 40])}${object('without_mask', [50, 4, 80, 40])}</annotation>`;
const BOMB = `<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><annotation>&c;</annotation>`;

const vocParser: UntrustedParser = {
  name: 'voc-annotation',
  covers: [
    'models/src/evaluation/mask-xml.ts#parseXml',
    'models/src/evaluation/mask-folder.ts#parseMaskAnnotation',
    'models/src/evaluation/mask-folder.ts#loadMaskFolder',
  ],
  source: 'a data set',
  form: 'text',
  pace: 'process',
  open: async (folder) => {
    for (const part of ['images', 'annotations']) mkdirSync(join(folder, part));
    writeFileSync(join(folder, 'images', 'a.jpg'), '');
    const file = join(folder, 'annotations', 'a.xml');
    return {
      samples: [encode(VOC), encode(`<?xml version="1.0"?>\n<!-- made by hand -->\n${VOC}\n`)],
      extremes: [encode(BOMB), encode('<a>'.repeat(50_000)), encode(`<a>${'&#x'.repeat(50_000)}</a>`)],
      parse: async (input) => {
        writeFileSync(file, input);
        try {
          parseXml(decode(input));
        } catch (error) {
          if (!(error instanceof XmlRefusal)) throw error;
        }
        await loadMaskFolder(folder);
        parseMaskAnnotation(decode(input), file);
        return undefined;
      },
    };
  },
};

const clipParser: UntrustedParser = {
  name: 'mask-annotation',
  covers: ['models/src/evaluation/mask-annotation.ts#loadMaskAnnotation'],
  source: 'who annotates clips',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    const file = join(folder, 'a.masks.json');
    const annotation = {
      ...{ schemaVersion: 1, video: 'a.mp4', sha256: 'ab'.repeat(32), asset: 'a', size: [640, 480] },
      ...{ madeBy: 'by eye', countFromPx: 20, ignored: [{ fromMs: 0, toMs: 100, why: 'far' }] },
      people: [{ id: 1, mask: 'with', keyframes: [[200, 1, 2, 30, 40]], hidden: [[300, 400]] }],
    };
    return {
      samples: [encode(JSON.stringify(annotation))],
      parse: async (input) => {
        writeFileSync(file, input);
        await loadMaskAnnotation(file);
        return undefined;
      },
    };
  },
};

const listParser: UntrustedParser = {
  name: 'face-list',
  covers: ['models/src/evaluation/face-list.ts#loadFaceList'],
  source: 'a data set',
  form: 'json',
  pace: 'process',
  open: async (folder) => {
    mkdirSync(join(folder, 'street', 'images'), { recursive: true });
    for (const name of ['a.jpg', 'b.jpg']) writeFileSync(join(folder, 'street', 'images', name), '');
    const file = join(folder, 'faces.json');
    const boxes = { with: [[10, 20, 40, 90]], doubtful: [[1, 2, 3, 4]], without: [[5.5, 6, 7, 8]] };
    const facts = { schemaVersion: 1, label: 'face', judged: 'by eye', boxes: 'drawn' };
    const pictures = [{ file: 'street/a.jpg', ...boxes }, { file: 'street/b.jpg' }];
    return {
      samples: [encode(JSON.stringify({ ...facts, pictures }))],
      parse: async (input) => {
        writeFileSync(file, input);
        await loadFaceList(file, folder);
        return undefined;
      },
    };
  },
};

/** Parsers of labelled faces. */
export const MASK_DATA_PARSERS: readonly UntrustedParser[] = [vocParser, clipParser, listParser];
