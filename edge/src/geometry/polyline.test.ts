import { describe, expect, it } from 'vitest';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import type { Point } from './box.ts';
import { isInside } from './polygon.ts';
import { DirectedLine } from './polyline.ts';

const LEVEL: readonly Point[] = [
  [100, 300],
  [500, 300],
];

/** A line from left to right whose pieces climb or fall by less than 45°, as painted lines do. */
function drawLine(random: SeededRandom): Point[] {
  const points: Point[] = [[random.between(0, 100), random.between(200, 300)]];
  for (let i = random.integer(1, 6); i > 0; i--) {
    const [x, y] = points.at(-1) as Point;
    const dx = random.between(10, 90);
    points.push([x + dx, y + dx * random.between(-0.95, 0.95)]);
  }
  return points;
}

/** Everything above the line, whose ends are continued straight: an independent statement of the forward side. */
function areaAbove(points: readonly Point[]): Point[] {
  const [a, b] = [points[0] as Point, points[1] as Point];
  const [y, z] = [points.at(-2) as Point, points.at(-1) as Point];
  const left = -5000;
  const right = 5000;
  return [
    [left, -20_000],
    [left, a[1] + ((b[1] - a[1]) / (b[0] - a[0])) * (left - a[0])],
    ...points,
    [right, z[1] + ((z[1] - y[1]) / (z[0] - y[0])) * (right - z[0])],
    [right, -20_000],
  ];
}

describe('DirectedLine', () => {
  it('is positive on the forward side, whichever way the points run', () => {
    for (const points of [LEVEL, LEVEL.toReversed()]) {
      const upwards = new DirectedLine(points, [300, 0]);
      expect(upwards.locate([300, 280])).toEqual({ distance: 20, overrun: 0 });
      expect(upwards.locate([300, 310])).toEqual({ distance: -10, overrun: 0 });
      const downwards = new DirectedLine(points, [300, 470]);
      expect(downwards.locate([300, 280]).distance).toBe(-20);
    }
  });

  it('tells how far beside the end a point passes, and keeps its side there', () => {
    const line = new DirectedLine(LEVEL, [300, 0]);
    expect(line.locate([560, 280])).toEqual({ distance: 20, overrun: 60 });
    expect(line.locate([70, 330])).toEqual({ distance: -30, overrun: 30 });
  });

  it('ignores a point that is given twice', () => {
    const line = new DirectedLine(
      [
        [100, 300],
        [100, 300],
        [500, 300],
        [500, 300],
      ],
      [300, 0],
    );
    expect(line.locate([300, 280])).toEqual({ distance: 20, overrun: 0 });
  });

  it('measures to the nearest piece of a bent line', () => {
    const bent = new DirectedLine(
      [
        [100, 300],
        [300, 300],
        [400, 400],
      ],
      [300, 0],
    );
    expect(bent.locate([200, 250]).distance).toBeCloseTo(50, 12);
    expect(bent.locate([360, 340]).distance).toBeCloseTo(20 / Math.SQRT2, 12);
    // beyond the bend, where the corner itself is nearest
    expect(bent.locate([305, 280]).distance).toBeCloseTo(Math.hypot(5, 20), 12);
  });

  it('has the sign of the side on which a point lies, beside every piece, bend and end', () => {
    forAll(1000, (random) => {
      const points = drawLine(random);
      const [x, y] = points[random.integer(0, points.length - 1)] as Point;
      const point: Point = [x + random.between(-60, 60), y + random.between(-60, 60)];
      const line = new DirectedLine(points, [x, y - 400]);
      const { distance } = line.locate(point);
      if (Math.abs(distance) < 1e-6) return;
      expect(distance > 0, `${JSON.stringify(points)} ${JSON.stringify(point)}`).toBe(
        isInside(areaAbove(points), point),
      );
    });
  });

  it('turns the sign with the forward side and keeps the distance', () => {
    forAll(200, (random) => {
      const points = drawLine(random);
      const [x, y] = points[0] as Point;
      const point: Point = [x + random.between(0, 200), y + random.between(-100, 100)];
      const up = new DirectedLine(points, [x, y - 400]).locate(point);
      const down = new DirectedLine(points, [x, y + 400]).locate(point);
      expect(down.distance).toBeCloseTo(-up.distance, 9);
      expect(down.overrun).toBe(up.overrun);
    });
  });
});
