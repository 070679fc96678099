import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDetector } from '@ngatu/edge';
import { AssetStore, evaluateViolations, findRepositoryRoot, type ViolationMetrics } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const store = new AssetStore();
const assets = {
  video: await store.find('hanoi-giangvo-langha-1615'),
  truth: await store.find('hanoi-giangvo-langha-1615-truth'),
  model: await store.find('road-users-nano'),
};
const isComplete = Object.values(assets).every((asset) => asset !== undefined);

describe.skipIf(!isComplete)('red light and stop line on the Hanoi clip', () => {
  let folder: string;
  let metrics: ViolationMetrics;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-quality-'));
    const { video, truth, model } = assets;
    if (video === undefined || truth === undefined || model === undefined)
      throw new Error('assets went away');
    await symlink(video.path, join(folder, 'hanoi-giangvo-langha-1615.mp4'));
    await symlink(truth.path, join(folder, 'hanoi-giangvo-langha-1615.truth.json'));
    const { manifest } = await store.resolveModel('road-users-nano');
    const detector = await openDetector({
      manifest,
      file: { path: model.path, sha256: model.sha256 },
      minConfidence: 0.1,
      threads: 2,
    });
    const scenesDir = join(findRepositoryRoot(), 'firmware-config', 'scenes');
    const evaluation = await evaluateViolations(
      { dataDir: folder, scenesDir, detector, thin: 2 },
      new AbortController().signal,
    );
    metrics = evaluation.metrics;
    await detector.close();
  }, 300_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const kind = (name: string) => metrics.kinds.find((entry) => entry.kind === name);

  it('flags red light with precision ≥ 0.95 and recall ≥ 0.9', () => {
    expect(kind('RED_LIGHT')?.precision.value).toBeGreaterThanOrEqual(0.95);
    expect(kind('RED_LIGHT')?.recall.value).toBeGreaterThanOrEqual(0.9);
  });

  it('flags stop line with precision ≥ 0.9 and recall ≥ 0.8', () => {
    expect(kind('STOP_LINE')?.precision.value).toBeGreaterThanOrEqual(0.9);
    expect(kind('STOP_LINE')?.recall.value).toBeGreaterThanOrEqual(0.8);
  });

  it('reads every lamp state that occurs with recall ≥ 0.95', () => {
    expect(metrics.lamps.map(({ state }) => state).sort()).toEqual(['green', 'red']);
    for (const { recall } of metrics.lamps) expect(recall.value).toBeGreaterThanOrEqual(0.95);
  });

  it('says nearly the same of every second frame', () => {
    const thinned = metrics.clips[0]?.thinned;
    expect(thinned?.both).toBeGreaterThanOrEqual(8);
    expect((thinned?.lost.length ?? 0) + (thinned?.added.length ?? 0)).toBeLessThanOrEqual(2);
  });
});
