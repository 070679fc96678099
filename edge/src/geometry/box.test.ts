import { describe, expect, it } from 'vitest';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import {
  type Box,
  computeArea,
  computeGroundPoint,
  computeIntersection,
  computeIou,
  computeUnion,
} from './box.ts';

function drawBox(random: SeededRandom): Box {
  const [x, y] = [random.between(-50, 600), random.between(-50, 400)];
  return [x, y, x + random.between(1, 200), y + random.between(1, 200)];
}

describe('box', () => {
  it('measures known boxes', () => {
    expect(computeArea([10, 20, 40, 60])).toBe(1200);
    expect(computeArea([40, 20, 10, 60])).toBe(0);
    expect(computeIntersection([0, 0, 10, 10], [5, 6, 20, 20])).toBe(20);
    expect(computeIou([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3, 12);
    expect(computeGroundPoint([10, 20, 40, 60])).toEqual([25, 60]);
  });

  it('counts no overlap where boxes only touch', () => {
    expect(computeIntersection([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0);
    expect(computeIou([0, 0, 10, 10], [0, 10, 10, 20])).toBe(0);
  });

  it('has no overlap ratio for two empty boxes, not NaN', () => {
    expect(computeIou([5, 5, 5, 5], [5, 5, 5, 5])).toBe(0);
  });

  it('has a symmetric overlap ratio between 0 and 1 that is 1 for the box itself', () => {
    forAll(500, (random) => {
      const [a, b] = [drawBox(random), drawBox(random)];
      const iou = computeIou(a, b);
      expect(iou).toBe(computeIou(b, a));
      expect(iou).toBeGreaterThanOrEqual(0);
      expect(iou).toBeLessThan(1);
      expect(computeIou(a, a)).toBeCloseTo(1, 12);
    });
  });

  it('does not change the overlap ratio when both boxes move and grow together', () => {
    forAll(200, (random) => {
      const [a, b] = [drawBox(random), drawBox(random)];
      const [dx, dy, scale] = [random.between(-300, 300), random.between(-300, 300), random.between(0.2, 5)];
      const map = ([x1, y1, x2, y2]: Box): Box => [
        x1 * scale + dx,
        y1 * scale + dy,
        x2 * scale + dx,
        y2 * scale + dy,
      ];
      expect(computeIou(map(a), map(b))).toBeCloseTo(computeIou(a, b), 9);
    });
  });

  it('unites into the smallest box that holds both', () => {
    forAll(200, (random) => {
      const [a, b] = [drawBox(random), drawBox(random)];
      const union = computeUnion(a, b);
      expect(computeIntersection(union, a)).toBeCloseTo(computeArea(a), 6);
      expect(computeIntersection(union, b)).toBeCloseTo(computeArea(b), 6);
      for (const side of [0, 1, 2, 3] as const) expect([a[side], b[side]]).toContain(union[side]);
    });
  });
});
