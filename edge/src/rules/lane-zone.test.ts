import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { aScene } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { computeGroundOutline } from './ground-outline.ts';
import { computeAxisAngle, LaneZone } from './lane-zone.ts';

const lane = (polygon: readonly Point[]): LaneZone =>
  new LaneZone(aScene({ zones: [{ name: 'lane', polygon }] }), 'lane');
const UPRIGHT: readonly Point[] = [
  [300, 100],
  [370, 100],
  [370, 400],
  [300, 400],
];

function locate(x: number, label: 'car' | 'motorbike' = 'car') {
  const half = label === 'car' ? 20 : 7;
  const box = [x - half, 200, x + half, label === 'car' ? 254 : 234] as const;
  const outline = computeGroundOutline(label, box, { depressionDeg: 25, heading: [0, -1] });
  if (outline === undefined) throw new Error('no outline');
  return lane(UPRIGHT).locate(outline, { sideErrorPx: 2, depthErrorPx: 2 });
}

describe('LaneZone', () => {
  it('takes for inside only who has both sides in, and its middle by more than the error', () => {
    expect(locate(335)).toMatchObject({ place: 'in', marginPx: expect.closeTo(15, 3) });
    expect(locate(321)).toMatchObject({ place: 'in', marginPx: expect.closeTo(1, 3) });
    expect(locate(319).place).toBe('doubtful');
    expect(locate(301).place).toBe('doubtful');
    expect(locate(290).place).toBe('out');
    expect(locate(310, 'motorbike').place).toBe('in');
    expect(locate(301, 'motorbike').place).toBe('doubtful');
    expect(locate(290, 'motorbike').place).toBe('out');
  });

  it('finds the direction of a lane, in whatever order its corners are and however it lies', () => {
    forAll(60, (random) => {
      const turn = random.between(0, Math.PI);
      const [length, width] = [random.between(200, 400), random.between(20, 80)];
      const [ux, uy] = [Math.cos(turn), Math.sin(turn)];
      const corner = (a: number, b: number): Point => [
        300 + a * length * ux - b * width * uy,
        250 + a * length * uy + b * width * ux,
      ];
      const polygon = [corner(-0.5, -0.5), corner(0.5, -0.3), corner(0.5, 0.3), corner(-0.5, 0.5)];
      const axis = lane(random.next() < 0.5 ? polygon : polygon.toReversed()).computeAxis(1);
      expect(computeAxisAngle([ux, uy], axis, 1)).toBeLessThan(0.01);
      expect(computeAxisAngle([-uy, ux], axis, 1)).toBeCloseTo(90, 1);
    });
  });

  it('reckons on the ground: depth counts for more than the picture shows', () => {
    // as wide as it is high in the picture, so much deeper than wide on the ground
    const axis = lane([
      [300, 100],
      [400, 100],
      [400, 200],
      [300, 200],
    ]).computeAxis(0.4);
    expect(axis[0]).toBeCloseTo(0, 6);
    expect(computeAxisAngle([1, -0.4], axis, 0.4)).toBeCloseTo(45, 6);
  });

  it('names a zone that the scene has not', () => {
    expect(() => new LaneZone(aScene(), 'nowhere')).toThrow('Scene "crossroads" has no zone "nowhere"');
  });
});
