import { ROAD_USER_LABELS } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { projectBody } from '../testing/scripted-road-user.ts';
import { forAll } from '../testing/seeded-random.ts';
import {
  CENTRE,
  computeEdgeError,
  computeGroundOutline,
  layOnGround,
  measureParts,
} from './ground-outline.ts';

/** True sizes of the scripted bodies on the ground, m. */
const GROUND = {
  person: [0, 0],
  bicycle: [1.4, 0],
  motorbike: [1.5, 0],
  car: [4.4, 1.7],
  truck: [6.5, 2.2],
  bus: [10, 2.5],
} as const;
/** All of the ground under the body. */
const CORNERS = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
] as const;
const VIEW = { depressionDeg: 25, pxPerMetre: 20 };

/** The true corners of a body with its rear in the middle of the picture. */
function projectCorners(
  label: keyof typeof GROUND,
  heading: Point,
  { depressionDeg, pxPerMetre }: typeof VIEW,
): Point[] {
  const sin = Math.sin((depressionDeg * Math.PI) / 180);
  const [gx, gy] = layOnGround(heading, sin);
  const [length, width] = GROUND[label];
  return [0, length].flatMap((forward) =>
    [-width / 2, width / 2].map(
      (right): Point => [
        320 + pxPerMetre * (forward * gx - right * gy),
        240 + pxPerMetre * (forward * gy + right * gx) * sin,
      ],
    ),
  );
}

describe('computeGroundOutline', () => {
  it('covers the true ground of every class from every side and height, within its own bound', () => {
    forAll(400, (random) => {
      const label = ROAD_USER_LABELS[random.integer(0, 5)] ?? 'car';
      const view = { depressionDeg: random.between(12, 65), pxPerMetre: random.between(15, 60) };
      const turn = random.between(0, 2 * Math.PI);
      const heading: Point = [
        Math.cos(turn),
        Math.sin(turn) * Math.sin((view.depressionDeg * Math.PI) / 180),
      ];
      const { box } = projectBody(label, { rear: [320, 240], heading }, view);
      const outline = computeGroundOutline(label, box, { depressionDeg: view.depressionDeg, heading });
      if (outline === undefined) throw new Error(`no outline for a ${label}`);
      const border = random.between(0, 2 * Math.PI);
      const distanceOf = ([x, y]: Point): number =>
        (x - 320) * Math.cos(border) + (y - 240) * Math.sin(border);
      const truth = projectCorners(label, heading, view).map(distanceOf);
      const edgePx = computeEdgeError(box);
      const found = measureParts(outline, CORNERS, { distanceOf, sideErrorPx: edgePx, depthErrorPx: edgePx });
      const low = Math.min(...found.map(({ distance, error }) => distance - error));
      const high = Math.max(...found.map(({ distance, error }) => distance + error));
      const what = `${label} ${JSON.stringify(view)} heading ${turn} border ${border}`;
      expect(low, what).toBeLessThanOrEqual(Math.min(...truth) + 0.5);
      expect(high, what).toBeGreaterThanOrEqual(Math.max(...truth) - 0.5);
      // and no more than a metre wider on either side
      expect(high - low, what).toBeLessThan(Math.max(...truth) - Math.min(...truth) + 2 * view.pxPerMetre);
    });
  });

  it('measures widths from the sides of the box: a wide car of another make is as wide as it looks', () => {
    const box: Box = [300, 200, 340, 254];
    const outline = computeGroundOutline('car', box, { depressionDeg: 25, heading: [0, -1] });
    expect(Math.abs(outline?.across[0] ?? 0)).toBeCloseTo(20, 9);
    expect(outline?.centre[0]).toBe(320);
    expect(outline?.along[0]).toBeCloseTo(0, 9);
    expect((outline?.centre[1] ?? 0) + Math.abs(outline?.along[1] ?? 0)).toBeCloseTo(254, 9);
  });

  it('puts the far end no nearer than the lower edge is sure, and bounds it more widely', () => {
    const outline = computeGroundOutline('bus', [300, 100, 350, 240], {
      depressionDeg: 25,
      heading: [0, -1],
    });
    if (outline === undefined) throw new Error('no outline');
    const input = { distanceOf: ([, y]: Point) => y, sideErrorPx: 4, depthErrorPx: 4 };
    const [far, , near] = measureParts(
      outline,
      [
        [1, 0],
        [0, 0],
        [-1, 0],
      ],
      input,
    );
    expect(near).toMatchObject({ distance: 240, error: 4 });
    expect(far?.error).toBeGreaterThan(8);
    expect(measureParts(outline, CENTRE, input)[0]?.distance).toBeLessThan(240);
  });

  it('knows a box that cannot be the whole road user, and widens its bound for odd proportions', () => {
    const view = { depressionDeg: 25, heading: [0, -1] as const };
    expect(computeGroundOutline('car', [300, 240, 340, 254], view)).toBeUndefined();
    expect(computeGroundOutline('car', [300, 200, 340, 254], { ...view, heading: [0, 0] })).toBeUndefined();
    expect(computeGroundOutline('car', [340, 200, 300, 254], view)).toBeUndefined();
    const usual = computeGroundOutline('car', [300, 200, 340, 254], view)?.sizeError ?? 1;
    const half = computeGroundOutline('car', [300, 222, 340, 254], view)?.sizeError ?? 0;
    expect(half).toBeGreaterThan(2 * usual);
  });
});
