import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AssetStore, evaluateMotTracker, type ResolvedAsset, type TrackerMetrics } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const store = new AssetStore();
/** A file of each dataset; the folder of a dataset is two above. */
const assets = {
  'mot-cem-tud': await store.find('mot-cem-tud-stadtmitte-tracks'),
  mot15: await store.find('mot15-venice-2-detections'),
};
const dpm = await store.find('mot17-04-dpm-detections');
const folderOf = (asset: ResolvedAsset | undefined): string => dirname(dirname(asset?.path ?? ''));
const NGATU = join(import.meta.dirname, '..', 'cli', 'bin', 'ngatu.mjs');
const signal = new AbortController().signal;

/** MOTA and IDF1 of SORT (A. Bewley et al., arXiv 1602.00763) on the same detections. */
const SORT = new Map([
  ['TUD-Campus', { mota: 62.7, idf1: 60.6 }],
  ['ETH-Sunnyday', { mota: 59.1, idf1: 72.4 }],
  ['ETH-Pedcross2', { mota: 45.4, idf1: 53.5 }],
  ['ADL-Rundle-8', { mota: 28.6, idf1: 32.6 }],
  ['Venice-2', { mota: 18.6, idf1: 32.4 }],
  ['KITTI-17', { mota: 60.2, idf1: 71.1 }],
]);

async function evaluate(dataDir: string, resultsDir?: string): Promise<TrackerMetrics> {
  const options = { dataDir, ...(resultsDir === undefined ? {} : { resultsDir }) };
  return (await evaluateMotTracker(options, signal)).metrics;
}

describe.skipIf(assets['mot-cem-tud'] === undefined)('the scorer on published results', () => {
  it('reproduces MOTA, IDF1 and the counts of the CEM tracker to the published decimals', async () => {
    const { sequences } = await evaluate(folderOf(assets['mot-cem-tud']), folderOf(assets['mot-cem-tud']));
    const rows = sequences.map(({ name, mota, idf1, falsePositives, misses, switches, fragments }) => ({
      name,
      mota: mota?.toFixed(1),
      idf1: idf1?.toFixed(1),
      counts: [falsePositives, misses, switches, fragments],
    }));
    expect(rows).toEqual([
      { name: 'TUD-Campus', mota: '52.6', idf1: '55.8', counts: [13, 150, 7, 7] },
      { name: 'TUD-Stadtmitte', mota: '56.4', idf1: '64.5', counts: [45, 452, 7, 6] },
    ]);
  });
});

describe.skipIf(assets.mot15 === undefined)('the tracker on MOT15', () => {
  let metrics: TrackerMetrics;
  beforeAll(async () => {
    metrics = await evaluate(folderOf(assets.mot15));
  });

  it('has a mean IDF1 of at least that of SORT + 6', () => {
    const sort = [...SORT.values()].reduce((sum, { idf1 }) => sum + idf1, 0) / SORT.size;
    expect(metrics.sequences.map(({ name }) => name).sort()).toEqual([...SORT.keys()].sort());
    expect(metrics.mean.idf1).toBeGreaterThanOrEqual(sort + 6);
  });

  it.each([...SORT])('has on %s a MOTA of at least that of SORT − 1', (name, sort) => {
    expect(metrics.sequences.find((sequence) => sequence.name === name)?.mota).toBeGreaterThanOrEqual(
      sort.mota - 1,
    );
  });
});

describe.skipIf(dpm === undefined)('the tracker on MOT17-04 with DPM', () => {
  it('is at least as good as the public one, on a folder that is a sequence itself', async () => {
    const { sequences } = await evaluate(dirname(dpm?.path ?? ''));
    expect(sequences).toHaveLength(1);
    expect(sequences[0]?.mota).toBeGreaterThanOrEqual(32.2);
    expect(sequences[0]?.idf1).toBeGreaterThanOrEqual(33.4);
  });
});

/** Two who walk side by side for 40 frames. */
function writeRows(columns: (frame: number, id: number) => readonly number[]): string {
  return Array.from({ length: 40 }, (_, i) =>
    [1, 2].map((id) => `${columns(i + 1, id).join(',')}\n`).join(''),
  ).join('');
}
const TRUTH = writeRows((frame, id) => [frame, id, 100 * id + 3 * frame, 100, 40, 100, 1, -1, -1, -1]);
const DETECTIONS = writeRows((frame, id) => [frame, -1, 100 * id + 3 * frame, 101, 40, 99, 0.9, -1, -1, -1]);

describe('ngatu eval tracker', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-tracker-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function writeSequence(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(folder, name, path, '..'), { recursive: true });
      await writeFile(join(folder, name, path), text);
    }
    return join(folder, name);
  }
  const ngatu = (...args: string[]): Promise<{ stdout: string }> => run(process.execPath, [NGATU, ...args]);

  it('reads both layouts, prints a table, writes JSON and MOT text that scores the same', async () => {
    const info = '[Sequence]\r\nname=walk-b\r\nframeRate=10\r\nseqLength=40\r\n';
    await writeSequence('both/walk-a', { 'gt.txt': TRUTH, 'det.txt': DETECTIONS });
    await writeSequence('both/train/walk-b', {
      'gt/gt.txt': TRUTH.replaceAll('\n', '\r\n'),
      'det/det.txt': DETECTIONS,
      'seqinfo.ini': info,
    });
    const data = join(folder, 'both');
    const [json, out] = [join(folder, 'metrics.json'), join(folder, 'predictions')];
    const { stdout } = await ngatu('eval', 'tracker', '--data', data, '--json', json, '--predictions', out);
    expect(stdout).toMatch(/^walk-a +\d/m);
    expect(stdout).toContain('walk-a: no frame rate in seqinfo.ini, 25 a second assumed');
    expect(stdout).not.toContain('walk-b: no frame rate');
    const metrics = JSON.parse(await readFile(json, 'utf8')) as TrackerMetrics;
    // the first two of forty frames confirm the tracks
    expect(metrics.sequences.map(({ name, mota, switches }) => [name, mota, switches])).toEqual([
      ['walk-b', 95, 0],
      ['walk-a', 95, 0],
    ]);
    expect(await readFile(join(out, 'walk-a.txt'), 'utf8')).toMatch(/^3,1,\d+(\.\d+)?,\d+/);
    const again = await evaluateMotTracker({ dataDir: data, resultsDir: out }, signal);
    expect(again.metrics.sequences.map(({ idf1 }) => idf1)).toEqual(
      metrics.sequences.map(({ idf1 }) => idf1),
    );
  });

  it.each([
    ['no such folder', {}, 'FILE_UNREADABLE'],
    ['no sequence', { 'readme.txt': '' }, 'FILE_UNREADABLE'],
    ['no detections', { 'gt.txt': TRUTH }, 'FILE_UNREADABLE'],
    ['a torn truth', { 'gt.txt': '1,1,100,100,40\n', 'det.txt': '' }, 'TRUTH_INVALID'],
    ['words in the truth', { 'gt.txt': '1,one,2,3,4,5,1\n', 'det.txt': '' }, 'TRUTH_INVALID'],
    [
      'a truth in which nothing counts',
      { 'gt.txt': '1,1,100,100,40,90,0\n', 'det.txt': '' },
      'TRUTH_INVALID',
    ],
    ['torn detections', { 'gt.txt': TRUTH, 'det.txt': '1,-1,3\n' }, 'DETECTIONS_INVALID'],
  ])('refuses %s with a code', async (name, files, code) => {
    const dir = await writeSequence(`bad-${name.replaceAll(' ', '-')}`, files);
    await expect(evaluateMotTracker({ dataDir: dir }, signal)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^Cannot /),
    });
  });

  it('says the code of a broken annotation on the command line', async () => {
    const dir = await writeSequence('broken', { 'a.tracks.json': '{' });
    await expect(ngatu('eval', 'tracker', '--data', dir)).rejects.toMatchObject({
      stderr: expect.stringContaining('TRUTH_INVALID: Cannot accept annotation'),
    });
  });
});
