import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ModelManifest } from '@ngatu/contract';
import { type Detector, openDetector, type ReplayResult, runReplay } from '@ngatu/edge';
import { loadScene } from '@ngatu/firmware-config';
import { AssetStore, findRepositoryRoot, type ResolvedAsset } from '@ngatu/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const store = new AssetStore();
const assets = {
  own: await store.find('road-users-nano'),
  vtest: await store.find('vtest'),
  carDetection: await store.find('car-detection'),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-demo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function present(asset: ResolvedAsset | undefined): { path: string; sha256: string } {
  if (asset === undefined) throw new Error('an asset that was there is gone');
  return { path: asset.path, sha256: asset.sha256 };
}

function manifestOf(asset: ResolvedAsset | undefined): ModelManifest {
  const model = store.registry.find(asset?.asset.name ?? '');
  if (model === undefined) throw new Error('a model that was there is gone');
  return model.manifest;
}

interface Trial {
  readonly name: string;
  readonly video: string;
  readonly detector: Detector;
}

async function replay({ name, video, detector }: Trial): Promise<ReplayResult> {
  const file = await loadScene(join(findRepositoryRoot(), 'firmware-config', 'scenes', `${name}.scene.yaml`));
  const origin = { startMs: 0, site: 'demo', node: 'test', sceneSha256: file.sha256 };
  try {
    return await runReplay({ ...origin, video, detector, scene: file.scene }, new AbortController().signal);
  } finally {
    await detector.close();
  }
}

const secondsOf = (result: ReplayResult, rule: string): number[] =>
  result.events.filter((event) => event.rule === rule).map((event) => event.frame.mediaTimeMs / 1000);

const countOf = (result: ReplayResult, rule: string, direction: string): number =>
  result.summary.counts
    .filter((entry) => entry.rule === rule && entry.direction === direction)
    .reduce((sum, entry) => sum + entry.count, 0);

describe.skipIf(assets.vtest === undefined)('scene vtest with the network of this repository', () => {
  let result: ReplayResult;

  beforeAll(async () => {
    // The first 21 s; who does what in them was counted by hand.
    const video = join(folder, 'vtest.avi');
    await run('ffmpeg', ['-v', 'error', '-i', present(assets.vtest).path, '-t', '21', '-c', 'copy', video]);
    const detector = await openDetector({
      manifest: manifestOf(assets.own),
      file: present(assets.own),
      minConfidence: 0.1,
      threads: 1,
    });
    result = await replay({ name: 'vtest', video, detector });
  }, 180_000);

  it('sees the three persons who walk into the mouth of the road, each once', () => {
    const seconds = secondsOf(result, 'road-mouth');
    expect(seconds).toHaveLength(3);
    for (const second of seconds) {
      expect(second).toBeGreaterThanOrEqual(9.5);
      expect(second).toBeLessThanOrEqual(13.5);
    }
  });

  it('follows no finger post', () => {
    const post = [32, 110, 47, 141];
    const followed = result.tracks.flatMap(({ tracks }) =>
      tracks.filter(({ box }) => box.every((side, index) => Math.abs(side - (post[index] ?? 0)) < 8)),
    );
    expect(followed).toEqual([]);
  });

  it('sees the man who walks against the way on the left in the first seconds', () => {
    const [first, ...others] = secondsOf(result, 'left-way');
    expect(first).toBeLessThanOrEqual(3);
    // He comes back around 10 s and stops at about the distance at which the rule is sure.
    for (const second of others) expect(Math.abs(second - 10)).toBeLessThanOrEqual(1);
  });

  it('counts the crossings of both lines', () => {
    expect(countOf(result, 'count-left-way', 'forward')).toBe(3);
    expect(countOf(result, 'count-left-way', 'backward')).toBe(2);
    expect(countOf(result, 'count-road', 'forward')).toBe(3);
    expect(countOf(result, 'count-road', 'backward')).toBe(1);
  });
});

describe.skipIf(assets.carDetection === undefined)(
  'scene car-detection with the network of this repository',
  () => {
    let result: ReplayResult;

    beforeAll(async () => {
      const detector = await openDetector({
        manifest: manifestOf(assets.own),
        file: present(assets.own),
        minConfidence: 0.1,
        threads: 1,
      });
      result = await replay({ name: 'car-detection', video: present(assets.carDetection).path, detector });
    }, 120_000);

    it('sees cars in the closed lane only while one of the two is there', () => {
      const seconds = secondsOf(result, 'closed-lane');
      const isThere = (second: number) => (second >= 6 && second <= 9) || (second >= 16.5 && second <= 19);
      expect(seconds.filter(isThere)).toEqual(seconds);
      expect(seconds.some((second) => second > 16)).toBe(true);
      expect(seconds.length).toBeLessThanOrEqual(2);
    });

    it('takes nobody who keeps to the right for a wrong-way driver', () => {
      expect(result.events.filter(({ kind }) => kind === 'WRONG_WAY')).toEqual([]);
      expect(countOf(result, 'count-up', 'backward') + countOf(result, 'count-down', 'backward')).toBe(0);
    });
  },
);
