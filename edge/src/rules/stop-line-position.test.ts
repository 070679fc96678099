import { describe, expect, it } from 'vitest';
import { DirectedLine } from '../geometry/polyline.ts';
import { anObservation } from '../testing/builder.ts';
import {
  computeApproachHeading,
  computeStopLinePosition,
  computeTravelAngle,
  movedAsWhole,
} from './stop-line-position.ts';

const LINE = [
  [100, 300],
  [540, 300],
] as const;
const VIEW = { depressionDeg: 25, heading: [0, -1] as const };

describe('computeStopLinePosition', () => {
  const line = new DirectedLine(LINE, [320, 100]);
  const locate = (box: readonly [number, number, number, number], hiddenErrorPx = 0) =>
    computeStopLinePosition(line, 'motorbike', { box, hiddenErrorPx }, VIEW);

  it('is negative before the line and positive beyond it, the front ahead of the rear', () => {
    const before = locate([300, 240, 340, 330]);
    expect(before.rear).toBeCloseTo(-30, 9);
    expect(before.front).toBeGreaterThan(before.rear);
    expect(locate([300, 190, 340, 280]).rear).toBeCloseTo(20, 9);
  });

  it('adds the error of hidden wheels to that of the box', () => {
    const [seen, inferred] = [locate([300, 240, 340, 330]), locate([300, 240, 340, 330], 6)];
    expect(inferred.rearError).toBeCloseTo(Math.hypot(seen.rearError, 6), 9);
    expect(inferred.frontError).toBeCloseTo(Math.hypot(seen.frontError, 6), 9);
    expect([seen.hiddenError, inferred.hiddenError]).toEqual([0, 6]);
    expect(inferred.rear).toBe(seen.rear);
  });

  it('lets a wheel pass a quarter of the width beside the painted end, and no more', () => {
    expect(locate([529, 240, 569, 330]).rearWithin).toBe(true);
    expect(locate([531, 240, 571, 330]).rearWithin).toBe(false);
  });
});

describe('computeApproachHeading', () => {
  it('stands square on the line towards its forward side, whichever way the points run', () => {
    for (const points of [LINE, LINE.toReversed()]) {
      const [x, y] = computeApproachHeading(points, [320, 100], undefined);
      expect(x).toBeCloseTo(0, 9);
      expect(y).toBeLessThan(0);
      expect(computeApproachHeading(points, [320, 400], undefined)[1]).toBeGreaterThan(0);
    }
  });

  it('is the arrow of the scene where there is one', () => {
    expect(computeApproachHeading(LINE, [320, 100], { from: [300, 440], to: [270, 300] })).toEqual([
      -30, -140,
    ]);
  });
});

describe('computeTravelAngle', () => {
  const from = anObservation({ box: [300, 200, 340, 300] });
  const to = (dx: number, dy: number) => anObservation({ box: [300 + dx, 200 + dy, 340 + dx, 300 + dy] });

  it('measures the angle to the heading', () => {
    expect(computeTravelAngle(from, to(0, -10), [0, -1], 2)).toBeCloseTo(0, 6);
    expect(computeTravelAngle(from, to(10, 0), [0, -3], 2)).toBeCloseTo(90, 6);
    expect(computeTravelAngle(from, to(0, 10), [0, -1], 2)).toBeCloseTo(180, 6);
  });

  it('does not tell for who hardly moved, or without a heading', () => {
    expect(computeTravelAngle(from, to(1, 1), [0, -1], 2)).toBeUndefined();
    expect(computeTravelAngle(from, to(10, 10), [0, 0], 2)).toBeUndefined();
  });
});

describe('movedAsWhole', () => {
  const from = anObservation({ box: [300, 200, 340, 300] });

  it('holds for who drives away, comes, or crosses the picture', () => {
    expect(movedAsWhole(from, anObservation({ box: [300, 150, 340, 240] }))).toBe(true);
    expect(movedAsWhole(from, anObservation({ box: [295, 240, 345, 350] }))).toBe(true);
    expect(movedAsWhole(from, anObservation({ box: [340, 200, 380, 290] }))).toBe(true);
  });

  it('holds for a high vehicle whose upper edge stays near the horizon while its box grows or shrinks', () => {
    const bus = anObservation({ box: [877, 236, 1131, 483] });
    const gone = anObservation({ box: [855, 222, 992, 359] });
    expect(movedAsWhole(bus, gone)).toBe(true);
    expect(movedAsWhole(gone, bus)).toBe(true);
    // the same heights, but as wide as before: hidden from below
    expect(movedAsWhole(bus, anObservation({ box: [870, 222, 1110, 359] }))).toBe(false);
  });

  it('does not hold where only the lower edge moved, or the two moved apart', () => {
    expect(movedAsWhole(from, anObservation({ box: [300, 200, 340, 260] }))).toBe(false);
    expect(movedAsWhole(from, anObservation({ box: [300, 190, 340, 260] }))).toBe(false);
    expect(movedAsWhole(from, anObservation({ box: [300, 220, 340, 280] }))).toBe(false);
  });
});
