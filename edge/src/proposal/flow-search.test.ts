import { describe, expect, it } from 'vitest';
import { isInside } from '../geometry/polygon.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { findFlows } from './flow-search.ts';
import type { Trajectory } from './trajectory.ts';

const PICTURE = { width: 640, height: 480 };

function drive(from: [number, number], to: [number, number], random: SeededRandom): Trajectory {
  const shift: [number, number] = [random.between(-12, 12), random.between(-12, 12)];
  return {
    label: 'motorbike',
    sights: Array.from({ length: 20 }, (_, k) => ({
      atMs: k * 160,
      ground: [
        from[0] + ((to[0] - from[0]) * k) / 19 + shift[0] + random.between(-2, 2),
        from[1] + ((to[1] - from[1]) * k) / 19 + shift[1] + random.between(-2, 2),
      ] as const,
      height: 60,
    })),
  };
}

describe('findFlows', () => {
  it('tells two crossing ways apart, and gives each its direction, outline and count', () => {
    const random = new SeededRandom(5);
    const across = Array.from({ length: 12 }, () => drive([40, 200], [600, 230], random));
    const up = Array.from({ length: 7 }, () => drive([320, 470], [300, 60], random));
    const flows = findFlows([...across, ...up], PICTURE);
    expect(flows.map(({ count }) => count)).toEqual([12, 7]);
    expect(flows[0]?.direction[0]).toBeGreaterThan(0.99);
    expect(flows[1]?.direction[1]).toBeLessThan(-0.99);
    expect(isInside(flows[1]?.polygon ?? [], [310, 260])).toBe(true);
    expect(isInside(flows[1]?.polygon ?? [], [500, 260])).toBe(false);
  });

  it('keeps opposite directions on the same ground apart', () => {
    const random = new SeededRandom(6);
    const there = Array.from({ length: 5 }, () => drive([40, 240], [600, 240], random));
    const back = Array.from({ length: 5 }, () => drive([600, 240], [40, 240], random));
    expect(findFlows([...there, ...back], PICTURE)).toHaveLength(2);
  });

  it('finds no way in road users that stand or wander', () => {
    const random = new SeededRandom(7);
    const standing = Array.from({ length: 9 }, () => drive([320, 240], [322, 241], random));
    expect(findFlows(standing, PICTURE)).toEqual([]);
    expect(findFlows([], PICTURE)).toEqual([]);
  });
});
