import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Detection, Detector } from '@ngatu/edge';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRepositoryRoot } from '../asset-location.ts';
import { listOccupantAnnotations, loadOccupantAnnotation } from './occupant-annotation.ts';
import { evaluateOccupants, formatOccupantTable } from './occupant-evaluation.ts';

const SIGNAL = new AbortController().signal;
const FACTS = { schemaVersion: 1, counted: 'all', reader: 'a test', boxes: 'drawn' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-occupants-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (label: Detection['label'], box: Detection['box']): Detection => ({ label, box, confidence: 0.9 });

/** A motorbike with this many people behind each other, its left edge at `x`. */
function aRide(x: number, people: number): Detection[] {
  const riders = Array.from({ length: people }, (_, i) =>
    at('person', [x + 12 * i, 80, x + 40 + 12 * i, 150]),
  );
  return [at('motorbike', [x, 110, x + 70, 190]), ...riders];
}

function detectorOf(detections: readonly Detection[]): Detector {
  return {
    model: { name: 'told', sha256: 'ab'.repeat(32) },
    detect: async () => [...detections],
    close: async () => undefined,
  };
}

async function write(annotation: object): Promise<void> {
  await mkdir(join(folder, 'pictures'), { recursive: true });
  const grey = { create: { width: 640, height: 360, channels: 3, background: '#777777' } } as const;
  await sharp(grey)
    .jpeg()
    .toFile(join(folder, 'pictures', 'a.jpg'));
  await writeFile(join(folder, 'a.occupants.json'), JSON.stringify({ ...FACTS, ...annotation }));
}

const evaluate = (detections: readonly Detection[]) =>
  evaluateOccupants(
    { dataDir: folder, mediaDir: folder, detector: detectorOf(detections), maxWidth: 640 },
    SIGNAL,
  );

describe('eval occupants', () => {
  it('counts what the product counts on each motorbike that was annotated', async () => {
    const motorbikes = [
      { box: [20, 80, 90, 190], occupants: 1 },
      { box: [220, 80, 300, 190], occupants: 3 },
      { box: [420, 80, 490, 190], occupants: 2 },
    ];
    await write({ source: { folder: 'pictures' }, pictures: [{ file: 'a.jpg', motorbikes }] });
    const { metrics, predictions } = await evaluate([...aRide(20, 1), ...aRide(220, 3)]);
    expect(predictions.map(({ truth, counted }) => [truth, counted])).toEqual([
      [1, 1],
      [3, 3],
      [2, undefined],
    ]);
    const all = metrics.scores.find(({ name }) => name === 'all');
    expect(all?.found).toMatchObject({ hits: 2, total: 3 });
    expect(all?.exact).toMatchObject({ hits: 2, total: 2 });
    expect(all?.overloaded.recall).toMatchObject({ hits: 1, total: 1 });
    expect(formatOccupantTable(metrics)).toContain('told@abababab');
  });

  it.each<[string, object, string]>([
    ['without pictures', { source: { folder: 'pictures' }, pictures: [] }, 'TRUTH_INVALID'],
    [
      'with an empty box',
      {
        source: { folder: 'pictures' },
        pictures: [{ file: 'a.jpg', motorbikes: [{ box: [9, 9, 9, 20], occupants: 1 }] }],
      },
      'TRUTH_INVALID',
    ],
    [
      'that leads out of its folder',
      {
        source: { folder: 'pictures/../..' },
        pictures: [{ file: 'a.jpg', motorbikes: [{ box: [1, 1, 9, 20], occupants: 1 }] }],
      },
      'TRUTH_INVALID',
    ],
    [
      'of a picture that is not there',
      {
        source: { folder: 'pictures' },
        pictures: [{ file: 'b.jpg', motorbikes: [{ box: [1, 1, 9, 20], occupants: 1 }] }],
      },
      'PICTURE_UNREADABLE',
    ],
  ])('refuses an annotation %s', async (_, annotation, code) => {
    await write(annotation);
    await expect(evaluate([])).rejects.toMatchObject({ code });
  });

  it('refuses a folder without annotations', async () => {
    await expect(evaluate([])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('the annotations of the product', () => {
  it('are of their schema, and of a hundred motorbikes and more', async () => {
    const files = await listOccupantAnnotations(join(findRepositoryRoot(), 'models', 'annotations'));
    const loaded = await Promise.all(files.map(loadOccupantAnnotation));
    const motorbikes = loaded.flatMap(({ annotation }) =>
      annotation.pictures.flatMap((one) => one.motorbikes),
    );
    expect(motorbikes.length).toBeGreaterThan(100);
  });

  it('judge by no picture that riders were learned from', async () => {
    const folder = join(findRepositoryRoot(), 'models', 'annotations');
    const learned = JSON.parse(await readFile(join(folder, 'riders-counted.json'), 'utf8'));
    const judged = (await Promise.all((await listOccupantAnnotations(folder)).map(loadOccupantAnnotation)))
      .filter(({ annotation }) => 'folder' in annotation.source)
      .flatMap(({ name, annotation }) => annotation.pictures.map(({ file }) => `${name}/${file}`));
    expect(judged.length).toBeGreaterThan(100);
    expect(judged.filter((key) => key in learned.pictures)).toEqual([]);
  });
});
