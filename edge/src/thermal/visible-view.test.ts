import { describe, expect, it } from 'vitest';
import { type Homography, mapPoint } from '../geometry/homography.ts';
import { fitVisibleView } from './visible-view.ts';

const TRUE: Homography = [0.31, 0.02, -40, -0.01, 0.33, -25, 0.00002, -0.00001, 1];
const pairAt = (x: number, y: number) => {
  const mapped = mapPoint(TRUE, [x, y]);
  return { visible: [x, y] as [number, number], thermal: [mapped.x, mapped.y] as [number, number] };
};

describe('the visible picture over the thermal one', () => {
  it('follows from four corners of a board, in pixels of both', () => {
    const view = fitVisibleView([pairAt(500, 300), pairAt(1_400, 320), pairAt(1_380, 900), pairAt(520, 880)]);
    const mapped = view === undefined ? undefined : mapPoint(view, [960, 540]);
    const truth = mapPoint(TRUE, [960, 540]);
    expect(mapped?.x).toBeCloseTo(truth.x, 3);
    expect(mapped?.y).toBeCloseTo(truth.y, 3);
    expect(mapped?.w).toBeGreaterThan(0);
  });

  it('does not follow from points on a line', () => {
    expect(fitVisibleView([100, 200, 300, 400].map((x) => pairAt(x, 2 * x)))).toBeUndefined();
  });
});
