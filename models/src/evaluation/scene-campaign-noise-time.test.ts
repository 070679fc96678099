import { SeededRandom } from '@ngatu/simulators';
import { describe, expect, it } from 'vitest';
import type { NoiseSample } from './scene-campaign-noise-match.ts';
import { correlateFollowed, type FollowedClip } from './scene-campaign-noise-time.ts';

/** So many people followed for 40 s, ten pictures a second: a share of their confidence stays with each, the rest is new each time. */
function follow(people: number, persistent: number, seed: number): FollowedClip {
  const random = new SeededRandom(seed);
  const own = Array.from({ length: people }, () => random.gaussian());
  const pictures = Array.from({ length: 400 }, () =>
    own.flatMap((luck, trackId): NoiseSample[] => {
      // now and then somebody is covered
      if (random.next() < 0.1) return [];
      const confidence =
        0.5 + 0.1 * (Math.sqrt(persistent) * luck + Math.sqrt(1 - persistent) * random.gaussian());
      return [{ group: 'pedestrian', label: 'person', trackId, heightPx: 80, visibleShare: 1, confidence }];
    }),
  );
  return { fps: 10, pictures };
}

describe('correlateFollowed', () => {
  it.each([0, 0.3, 0.7])('finds the share that stays with each one: %f', (persistent) => {
    const found = correlateFollowed([follow(60, persistent, 1), follow(60, persistent, 2)]);
    expect(Math.abs(found.persistent - persistent)).toBeLessThan(0.12);
    expect(found.slow).toBeLessThan(0.12);
  });

  it('takes larger people for no luckier ones', () => {
    const [small, large] = [follow(40, 0, 3), follow(40, 0, 4)];
    const lucky = large.pictures.map((samples) =>
      samples.map((sample) => ({ ...sample, heightPx: 200, confidence: sample.confidence + 0.4 })),
    );
    const pictures = small.pictures.map((samples, index) => [
      ...samples,
      ...(lucky[index] ?? []).map((sample) => ({ ...sample, trackId: (sample.trackId ?? 0) + 100 })),
    ]);
    expect(correlateFollowed([{ fps: 10, pictures }]).persistent).toBeLessThan(0.12);
  });
});
