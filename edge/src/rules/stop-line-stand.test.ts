import { describe, expect, it } from 'vitest';
import { aFrameMark, anObservation } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import type { StopLineSight } from './stop-line-gauge.ts';
import { estimateStand, findStand } from './stop-line-stand.ts';

interface SightParts {
  readonly atMs: number;
  readonly front: number;
  readonly ground?: readonly [number, number];
  readonly hiddenError?: number;
}

/** A sight whose front has 4 px of error, 2 of which differ from sight to sight. */
function aSight({ atMs, front, ground = [320, 330], hiddenError = 0 }: SightParts): StopLineSight {
  const frame = aFrameMark({ mediaTimeMs: atMs });
  const frontError = Math.hypot(4, hiddenError);
  return {
    observation: anObservation({ frame, box: [300, 250, 340, 330], groundSeen: hiddenError === 0 }),
    ground,
    position: {
      front,
      frontError,
      rear: front - 30,
      rearError: Math.hypot(2, hiddenError),
      noise: 2,
      hiddenError,
      rearWithin: true,
      frontWithin: true,
    },
  };
}

const standing = (fps: number, durationMs: number, front: (atMs: number) => number) =>
  Array.from({ length: Math.floor((durationMs * fps) / 1000) + 1 }, (_, i) => (i * 1000) / fps).map((atMs) =>
    aSight({ atMs, front: front(atMs) }),
  );

describe('estimateStand', () => {
  it('gets surer with time, down to what all sights share, and not with the frame rate', () => {
    const errorOf = (fps: number, durationMs: number) =>
      estimateStand(standing(fps, durationMs, () => 6))?.frontError ?? 0;
    const shared = Math.sqrt(4 * 4 - 2 * 2);
    expect(errorOf(10, 1200)).toBeGreaterThan(errorOf(10, 6000));
    expect(errorOf(10, 60_000)).toBeGreaterThan(shared);
    expect(errorOf(10, 60_000)).toBeLessThan(shared + 0.1);
    expect(errorOf(25, 2400)).toBeCloseTo(errorOf(6.25, 2400), 9);
  });

  it('keeps the true place within two errors, on the cautious side of it', () => {
    let inside = 0;
    forAll(200, (random) => {
      const shared = Math.sqrt(12) * random.gaussian();
      const stand = estimateStand(standing(8, 3000, () => 6 + shared + 2 * random.gaussian()));
      if (Math.abs((stand?.front ?? 99) - 6) < 2 * (stand?.frontError ?? 0)) inside += 1;
    });
    expect(inside).toBeGreaterThan(180);
  });

  it('weighs seen wheels more than inferred ones', () => {
    const seen = [0, 300, 600].map((atMs) => aSight({ atMs, front: 4 }));
    const inferred = [900, 1200, 1500].map((atMs) => aSight({ atMs, front: 10, hiddenError: 6 }));
    const stand = estimateStand([...seen, ...inferred]);
    expect(stand?.front).toBeGreaterThan(4);
    expect(stand?.front).toBeLessThan(5);
    const alone = estimateStand(inferred);
    expect(alone?.front).toBe(10);
    expect(alone?.frontError).toBeGreaterThan(6);
  });

  it('does not tell from less than three sights', () => {
    expect(estimateStand([0, 300].map((atMs) => aSight({ atMs, front: 6 })))).toBeUndefined();
  });
});

describe('findStand', () => {
  const at = (atMs: number, y: number) => aSight({ atMs, front: 0, ground: [320, y] });

  it('goes back to where it came to stand', () => {
    const sights = [
      at(0, 420),
      at(200, 390),
      at(400, 360),
      at(600, 331),
      at(800, 330),
      at(1000, 330),
      at(1200, 330),
    ];
    expect(findStand(sights)).toBe(3);
  });

  it('passes over a short quirk of the box, and not over a way', () => {
    const quirk = [at(0, 330), at(200, 330), at(400, 330), at(600, 350), at(800, 330), at(1000, 330)];
    expect(findStand(quirk)).toBe(0);
    const away = [at(0, 330), at(200, 350), at(400, 360), at(600, 350), at(800, 330), at(1000, 330)];
    expect(findStand(away)).toBe(4);
  });

  it('finds nothing in nothing', () => {
    expect(findStand([])).toBe(0);
  });
});
