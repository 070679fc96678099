import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRepositoryRoot } from '../asset-location.ts';
import { loadAssetManifest } from '../asset-manifest.ts';
import {
  expandAnnotation,
  listTrackAnnotations,
  loadTrackAnnotation,
  type TrackAnnotation,
} from './track-annotation.ts';

const ANNOTATION: TrackAnnotation = {
  schemaVersion: 1,
  video: 'a.mp4',
  sha256: 'a'.repeat(64),
  size: [640, 480],
  frames: [0, 100],
  madeBy: 'a test',
  ignored: [],
  tracks: [
    {
      id: 4,
      label: 'car',
      keyframes: [
        [10, 0, 100, 50, 150],
        [20, 600, 200, 700, 250],
      ],
      hidden: [[14, 16]],
    },
  ],
};

describe('expandAnnotation', () => {
  it('moves straight between keyframes, cuts at the border, and says what is hidden', () => {
    const rows = expandAnnotation(ANNOTATION, [9, 10, 15, 20, 21]);
    expect(rows.map(({ frame, box, isHidden }) => [frame, box, isHidden])).toEqual([
      [11, [0, 100, 50, 150], false],
      [16, [300, 150, 375, 200], true],
      [21, [600, 200, 640, 250], false],
    ]);
  });
});

describe('loadTrackAnnotation', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ngatu-annotation-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const write = (parts: object): Promise<void> =>
    writeFile(join(folder, 'a.tracks.json'), JSON.stringify({ ...ANNOTATION, ...parts }));
  const [track] = ANNOTATION.tracks;

  it.each([
    ['an id twice', { tracks: [track, track] }, 'track 4 stands there twice'],
    [
      'keyframes that go back',
      { tracks: [{ ...track, keyframes: [...(track?.keyframes ?? [])].reverse() }] },
      'rising order',
    ],
    ['an empty box', { tracks: [{ ...track, keyframes: [[1, 50, 50, 50, 60]] }] }, 'is empty'],
    ['a keyframe outside the frames', { frames: [0, 15] }, 'outside the frames'],
    ['a class that is none', { tracks: [{ ...track, label: 'cow' }] }, 'label'],
  ])('refuses %s', async (_, parts, text) => {
    await write(parts);
    await expect(loadTrackAnnotation(folder, 'a')).rejects.toMatchObject({
      code: 'TRUTH_INVALID',
      message: expect.stringContaining(text),
    });
  });

  it('accepts every annotation of the repository, for clips that the manifest has', async () => {
    const shipped = join(findRepositoryRoot(), 'models', 'annotations');
    const names = await listTrackAnnotations(shipped);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const { asset, sha256 } = await loadTrackAnnotation(shipped, name);
      expect(loadAssetManifest().assets.find((entry) => entry.name === asset)?.sha256).toBe(sha256);
    }
  });
});
