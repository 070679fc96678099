import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadNetwork, PlateDetector, PlateReader } from '@ngatu/edge';
import {
  AssetStore,
  evaluatePlateDetector,
  type FindingReadings,
  findRepositoryRoot,
  formatFindingReadings,
  loadUnlabelledPlaces,
  locateAssetFolders,
  readFindings,
} from '@ngatu/models';
import { beforeAll, describe, expect, it } from 'vitest';

const HELD_OUT = join(findRepositoryRoot(), 'models', 'annotations', 'vn-plate-boxes-held-out');
const dataDir = join(locateAssetFolders().localDir, 'datasets', 'vn-plate-boxes');
const pictures = await readdir(join(dataDir, 'images')).catch(() => []);
const { signal } = new AbortController();

async function openCarried(name: string) {
  const { manifest, ...file } = await new AssetStore().resolveModel(name, { signal });
  return loadNetwork({ manifest, file });
}

describe.skipIf(pictures.length === 0)('what is read in scenes that were not trained on', () => {
  let readings: readonly FindingReadings[];

  beforeAll(async () => {
    const options = { minConfidence: 0.3, zooms: [1, 2] };
    const detector = await PlateDetector.open(await openCarried('plates-nano'), 1, options);
    const reader = await PlateReader.open([await openCarried('plate-reader-vn')], 1);
    const names = (await readFile(`${HELD_OUT}.txt`, 'utf8'))
      .split('\n')
      .filter((name) => /^[^#]/.test(name));
    const unlabelled = await loadUnlabelledPlaces(`${HELD_OUT}.unlabelled.json`);
    const { pictures: found } = await evaluatePlateDetector(
      { dataDir, detector, name: 'plates-nano', only: new Set(names), unlabelled },
      signal,
    );
    readings = await readFindings(found, { dataDir, reader, on: new Date() }, signal);
    await Promise.all([detector.close(), reader.close()]);
  }, 240_000);

  it('is nothing where there is no plate, even if eight frames show the same', () => {
    const none = readings.find(({ kind }) => kind === 'no plates');
    expect(none?.read.total).toBeGreaterThan(30);
    expect(none?.read.hits, formatFindingReadings(readings)).toBe(0);
    expect(none?.readEightTimes.hits).toBe(0);
    expect(none?.nothing.value).toBeGreaterThan(0.9);
  });

  it('is nothing on plates of a few pixels, which nobody could read', () => {
    const plates = readings.find(({ kind }) => kind === 'plates with a label');
    expect(plates?.read.total).toBeGreaterThan(40);
    expect(plates?.readEightTimes.hits, formatFindingReadings(readings)).toBe(0);
  });
});
