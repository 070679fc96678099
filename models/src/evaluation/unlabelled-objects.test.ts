import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRepositoryRoot } from '../asset-location.ts';
import { computeAveragePrecision } from './average-precision.ts';
import { scorePlateDetector } from './plate-detector-evaluation.ts';
import { isAtPlace, loadUnlabelledPlaces, refuseOtherLabel } from './unlabelled-objects.ts';

const PICTURE = {
  file: 'street/a.jpg',
  seen: [[10, 10, 30, 20]],
  doubtful: [[50, 10, 60, 20]],
  none: [[0, 0, 5, 5]],
};
const FACTS = { schemaVersion: 1, label: 'plate', judged: 'by eye', boxes: 'px' };

describe('loadUnlabelledPlaces', () => {
  let file: string;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-unlabelled-'));
    file = join(folder, 'a.json');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const write = (...pictures: object[]): Promise<void> =>
    writeFile(file, JSON.stringify({ ...FACTS, pictures }));

  it('gives what was seen and what is doubtful, by the name of the picture', async () => {
    await write(PICTURE);
    const { label, byPicture, seen } = await loadUnlabelledPlaces(file);
    expect(seen.get('a.jpg')).toEqual([[10, 10, 30, 20]]);
    expect(label).toBe('plate');
    expect(byPicture.get('a.jpg')).toEqual([
      [10, 10, 30, 20],
      [50, 10, 60, 20],
    ]);
  });

  it.each([
    ['a picture twice', [PICTURE, { ...PICTURE, file: 'other/a.jpg' }], 'a.jpg stands there twice'],
    ['an empty box', [{ file: 'a.jpg', none: [[5, 5, 5, 9]] }], 'the box 5 5 5 9 is empty'],
    ['a box of three numbers', [{ file: 'a.jpg', seen: [[5, 5, 5]] }], 'seen'],
    ['a word that it does not know', [{ ...PICTURE, maybe: [] }], 'maybe'],
    ['no picture', [], 'pictures'],
  ])('refuses %s', async (_, pictures, text) => {
    await write(...pictures);
    await expect(loadUnlabelledPlaces(file)).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
      message: expect.stringContaining(text),
    });
  });

  it('refuses what is no JSON, and what is far too large; a file that is not there has its code', async () => {
    await writeFile(file, '{');
    await expect(loadUnlabelledPlaces(file)).rejects.toMatchObject({ code: 'TRUTH_INVALID' });
    await truncate(file, 17 * 1024 * 1024);
    await expect(loadUnlabelledPlaces(file)).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
      message: expect.stringContaining('17825792 bytes'),
    });
    await expect(loadUnlabelledPlaces(join(folder, 'b.json'))).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    });
  });

  it('accepts every list of the repository', async () => {
    const shipped = join(findRepositoryRoot(), 'models', 'annotations');
    const names = (await readdir(shipped)).filter(
      (name) => name.endsWith('.unlabelled.json') || name.endsWith('-candidates.json'),
    );
    expect(names).toEqual(expect.arrayContaining(['motorbike-candidates.json', 'plate-candidates.json']));
    for (const name of names)
      expect((await loadUnlabelledPlaces(join(shipped, name))).byPicture.size).toBeGreaterThan(0);
  });
});

it('is no list of plates where it is one of motorbikes', async () => {
  const root = findRepositoryRoot();
  const unlabelled = await loadUnlabelledPlaces(
    join(root, 'models', 'annotations', 'vn-intersection-held-out.unlabelled.json'),
  );
  expect(() => refuseOtherLabel(unlabelled, 'plate')).toThrow(/of motorbike, not of plate/);
  expect(() => refuseOtherLabel(unlabelled, 'motorbike')).not.toThrow();
});

describe('places that nobody labelled', () => {
  const place = [10, 10, 30, 20] as const;

  it('are met by boxes that overlap them enough', () => {
    expect(isAtPlace([11, 10, 31, 20], [place])).toBe(true);
    expect(isAtPlace([25, 10, 45, 20], [place])).toBe(false);
  });

  it('count neither way for average precision, and take no truth away', () => {
    const truth = [{ box: [100, 10, 120, 20] as const }];
    const found = [
      { box: [10, 10, 30, 20] as const, confidence: 0.9 },
      { box: [100, 10, 120, 20] as const, confidence: 0.5 },
    ];
    expect(computeAveragePrecision([{ found, truth }], 0.5).value).toBeCloseTo(0.5);
    expect(computeAveragePrecision([{ found, truth, leftOut: [place] }], 0.5).value).toBe(1);
    const onTruth = [{ found, truth, leftOut: [place, [100, 10, 120, 20] as const] }];
    expect(computeAveragePrecision(onTruth, 0.5).value).toBe(1);
  });

  it('count neither way for plates', () => {
    const truths = [[100, 10, 120, 20] as const];
    const found = [
      { box: [10, 10, 30, 20] as const, confidence: 0.9 },
      { box: [100, 10, 120, 20] as const, confidence: 0.9 },
      { box: [200, 10, 220, 20] as const, confidence: 0.9 },
    ];
    const { atDefault, leftOut } = scorePlateDetector(
      [{ picture: 'a', truths, found, leftOut: [place, [300, 10, 320, 20]], seen: [place] }],
      'x',
      [1],
    );
    expect(leftOut).toBe(2);
    expect(atDefault.unlabelled).toMatchObject({ hits: 1, total: 1 });
    expect(atDefault.precision).toMatchObject({ hits: 1, total: 2 });
    expect(atDefault.recall).toMatchObject({ hits: 1, total: 1 });
  });
});
