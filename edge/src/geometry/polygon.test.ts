import { describe, expect, it } from 'vitest';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { Point } from './box.ts';
import { computeBorderDistance, isInside } from './polygon.ts';

const SQUARE: readonly Point[] = [
  [0, 0],
  [100, 0],
  [100, 100],
  [0, 100],
];

/** An L: the square without its lower right quarter. */
const BENT: readonly Point[] = [
  [0, 0],
  [100, 0],
  [100, 50],
  [50, 50],
  [50, 100],
  [0, 100],
];

/** A star around (0, 0) as a function of the angle, so that inside is known from the radius. */
function drawStar(random: SeededRandom): { polygon: Point[]; radii: number[] } {
  const radii = Array.from({ length: random.integer(3, 12) }, () => random.between(20, 200));
  const polygon = radii.map((radius, i): Point => {
    const angle = (2 * Math.PI * i) / radii.length;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
  return { polygon, radii };
}

describe('polygon', () => {
  it('tells inside from outside, also in a dent', () => {
    expect(isInside(SQUARE, [50, 50])).toBe(true);
    expect(isInside(SQUARE, [150, 50])).toBe(false);
    expect(isInside(BENT, [25, 75])).toBe(true);
    expect(isInside(BENT, [75, 75])).toBe(false);
  });

  it('measures the distance to the nearest edge or corner from both sides', () => {
    expect(computeBorderDistance(SQUARE, [50, 90])).toBeCloseTo(10, 12);
    expect(computeBorderDistance(SQUARE, [50, 130])).toBeCloseTo(30, 12);
    expect(computeBorderDistance(SQUARE, [130, 140])).toBeCloseTo(50, 12);
    expect(computeBorderDistance(BENT, [60, 60])).toBeCloseTo(10, 12);
  });

  it('does not divide by zero where a corner is given twice', () => {
    expect(computeBorderDistance([...SQUARE, [0, 100]], [-3, 104])).toBeCloseTo(5, 12);
    expect(isInside([...SQUARE, [0, 100]], [50, 50])).toBe(true);
  });

  it('gives the same answer for either winding and any first corner', () => {
    forAll(200, (random) => {
      const { polygon } = drawStar(random);
      const point: Point = [random.between(-200, 200), random.between(-200, 200)];
      const turned = [...polygon.slice(2), ...polygon.slice(0, 2)];
      expect(isInside(polygon.toReversed(), point)).toBe(isInside(polygon, point));
      expect(isInside(turned, point)).toBe(isInside(polygon, point));
    });
  });

  it('holds every point that is nearer to the centre than the border in its direction', () => {
    forAll(300, (random) => {
      const { polygon, radii } = drawStar(random);
      const i = random.integer(0, radii.length - 1);
      const angle = (2 * Math.PI * i) / radii.length;
      const corner = radii[i] ?? 0;
      const at = (radius: number): Point => [radius * Math.cos(angle), radius * Math.sin(angle)];
      expect(isInside(polygon, at(corner * random.between(0.01, 0.98)))).toBe(radii.length > 3 || corner > 0);
      expect(isInside(polygon, at(corner * random.between(1.02, 3)))).toBe(false);
    });
  });

  it('changes between inside and outside only across the border', () => {
    forAll(300, (random) => {
      const { polygon } = drawStar(random);
      const point: Point = [random.between(-220, 220), random.between(-220, 220)];
      const reach = computeBorderDistance(polygon, point) * 0.99;
      const angle = random.between(0, 2 * Math.PI);
      const moved: Point = [point[0] + reach * Math.cos(angle), point[1] + reach * Math.sin(angle)];
      expect(isInside(polygon, moved)).toBe(isInside(polygon, point));
    });
  });
});
