import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { aFrameMark, anObservation } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { findSight, GroundPath, MAX_LONG_GAP_MS, type PathPoint } from './ground-path.ts';
import type { Observation } from './rule.ts';

const PICTURE = { width: 640, height: 480, frameMs: 80 };

/** A box of 40 × 80 px over a ground point. */
function see(atMs: number, [x, y]: Point, parts: Partial<Observation> = {}): Observation {
  const box: Box = [x - 20, y - 80, x + 20, y];
  return anObservation({ frame: aFrameMark({ mediaTimeMs: atMs }), box, ...parts });
}

function follow(sights: readonly Observation[]): PathPoint[] {
  const path = new GroundPath();
  return sights.flatMap((sight) => path.take(sight, PICTURE));
}

/** To the right at 100 px/s from x = 100. */
const along = (atMs: number): Point => [100 + atMs / 10, 300];
const times = (fps: number, fromMs: number, untilMs: number): number[] =>
  Array.from(
    { length: Math.floor(((untilMs - fromMs) * fps) / 1000) + 1 },
    (_, i) => fromMs + (i * 1000) / fps,
  );

describe('GroundPath', () => {
  it('puts every point where the road user was at its instant, at any frame rate', () => {
    for (const fps of [6, 12.5, 25]) {
      const points = follow(times(fps, 0, 3000).map((atMs) => see(atMs, along(atMs))));
      expect(points.length, `${fps} fps`).toBeGreaterThan(10);
      for (const { atMs, point, heading } of points) {
        expect(point[0]).toBeCloseTo(along(atMs)[0], 6);
        expect(heading[0]).toBeGreaterThan(0);
        expect(heading[1]).toBeCloseTo(0, 6);
      }
    }
  });

  it('gives the places before the direction was known too, oldest first, once', () => {
    const points = follow(times(12.5, 0, 2000).map((atMs) => see(atMs, along(atMs))));
    expect(points[0]).toMatchObject({ atMs: 0, start: 'new' });
    const instants = points.map(({ atMs }) => atMs);
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
    expect(points.filter(({ start }) => start !== undefined)).toHaveLength(1);
  });

  it('says nothing of who never moves', () => {
    forAll(5, (random) => {
      const sights = times(12.5, 0, 10_000).map((atMs) =>
        see(atMs, [200 + 1.5 * random.gaussian(), 300 + 1.5 * random.gaussian()]),
      );
      expect(follow(sights)).toEqual([]);
    });
  });

  it('states a bound that holds: noise of 3 % of the box, 15 % of the sights missing', () => {
    let [inside, all] = [0, 0];
    forAll(20, (random) => {
      const fps = [6, 12.5, 25][random.integer(0, 2)] ?? 25;
      const sights = times(fps, 0, 4000)
        .filter(() => random.next() >= 0.15)
        .map((atMs) => {
          const [x, y] = along(atMs);
          return see(atMs, [x + 2.4 * random.gaussian(), y + 2.4 * random.gaussian()]);
        });
      for (const { atMs, point, errorPx } of follow(sights)) {
        all += 1;
        const off = Math.max(Math.abs(point[0] - along(atMs)[0]), Math.abs(point[1] - along(atMs)[1]));
        if (off <= errorPx) inside += 1;
      }
    });
    expect(all).toBeGreaterThan(500);
    expect(inside / all).toBeGreaterThan(0.97);
  });

  it('leaves out sights whose ground is hidden, that are cut off by the picture, and single odd ones', () => {
    const odd = new Map<number, Partial<Observation>>([
      [800, { groundSeen: false, box: [0, 0, 600, 400] }],
      [1200, { box: [120, 240, 240, 480] }],
      [1600, { box: [300, 100, 340, 180] }],
    ]);
    const points = follow(times(12.5, 0, 3000).map((atMs) => see(atMs, along(atMs), odd.get(atMs))));
    for (const { atMs, point, start } of points) {
      expect(point[0]).toBeCloseTo(along(atMs)[0], 6);
      expect(start).toBe(atMs === 0 ? 'new' : undefined);
    }
  });

  it('says nothing of who is cut off at the side or at the lower edge, but takes who is cut off at the top', () => {
    const cut = (move: (box: Box) => Box): PathPoint[] =>
      follow(
        times(12.5, 0, 2000).map((atMs) => {
          const sight = see(atMs, along(atMs));
          return { ...sight, box: move(sight.box) };
        }),
      );
    expect(cut(([x1, , x2]) => [x1, 390, x2, 480])).toEqual([]);
    expect(cut(([, y1, x2, y2]) => [0, y1, x2, y2])).toEqual([]);
    expect(cut(([x1, y1, , y2]) => [x1, y1, 640, y2])).toEqual([]);
    expect(cut(([x1, , x2, y2]) => [x1, 0, x2, y2]).length).toBeGreaterThan(10);
  });

  it('completes who leaves at the side, within its bound, until too little is in sight', () => {
    const leaving = times(12.5, 0, 8000).map((atMs) => {
      const x = 500 + atMs / 40;
      const box: Box = [x - 20, 220, Math.min(640, x + 20), 300];
      return anObservation({ frame: aFrameMark({ mediaTimeMs: atMs }), box });
    });
    const points = follow(leaving);
    const last = points.at(-1);
    for (const { atMs, point, sideErrorPx } of points)
      expect(Math.abs(point[0] - 500 - atMs / 40)).toBeLessThan(sideErrorPx);
    // 35 % of 40 px are in sight up to 5840 ms; the newest point lies half a window before
    expect(last?.atMs).toBeGreaterThan(5300);
    expect(last?.atMs).toBeLessThan(5840);
    expect(last?.sideErrorPx).toBeGreaterThan((points[0]?.sideErrorPx ?? 0) + 1);
  });

  it('takes who is hidden below for a moment with a wider bound in depth, and no longer', () => {
    const isHidden = (atMs: number): boolean => atMs >= 1200 && atMs < 3600;
    const points = follow(
      times(12.5, 0, 5000).map((atMs) => see(atMs, along(atMs), { groundSeen: !isHidden(atMs) })),
    );
    const before = points.find(({ atMs }) => atMs > 900);
    const during = points.find(({ atMs }) => atMs > 1700);
    expect(during?.sideErrorPx).toBeLessThan(1.5 * (before?.sideErrorPx ?? 0));
    expect(during?.depthErrorPx).toBeGreaterThan(2 * (before?.depthErrorPx ?? 0));
    expect(points.some(({ atMs }) => atMs > 2200 && atMs < 3600)).toBe(false);
  });

  it('begins anew after a pause, and where the number goes over to somebody else', () => {
    const pause = [...times(12.5, 0, 1000), ...times(12.5, 1000 + MAX_LONG_GAP_MS + 80, 3000)];
    const paused = follow(pause.map((atMs) => see(atMs, along(atMs))));
    expect(paused.filter(({ start }) => start !== undefined).map(({ start }) => start)).toEqual([
      'new',
      'gap',
    ]);
    for (const fps of [6, 12.5, 25]) {
      const sights = times(fps, 0, 4000).map((atMs) =>
        see(atMs, atMs < 2000 ? along(atMs) : [420 - (atMs - 2000) / 10, 380]),
      );
      const starts = follow(sights).flatMap(({ start, atMs }) =>
        start === undefined ? [] : [{ start, atMs }],
      );
      expect(
        starts.map(({ start }) => start),
        `${fps} fps`,
      ).toEqual(['new', 'swap']);
      expect(starts[1]?.atMs).toBeGreaterThanOrEqual(2000);
    }
  });

  it('bears one missed frame where frames are rare', () => {
    const starts = (frameMs: number, asidePx = 0): unknown[] => {
      const path = new GroundPath();
      const sights = times(2, 0, 6000).filter((atMs) => atMs !== 2500);
      return sights
        .flatMap((atMs) =>
          path.take(see(atMs, [along(atMs)[0], 300 + (atMs > 2500 ? asidePx : 0)]), { ...PICTURE, frameMs }),
        )
        .flatMap(({ start }) => start ?? []);
    };
    expect(starts(500)).toEqual(['new']);
    // where frames are frequent, who comes back must be where the way led
    expect(starts(80)).toEqual(['new']);
    expect(starts(80, 130)).toEqual(['new', 'gap']);
  });

  it('follows who brakes hard, and who turns within a few metres', () => {
    for (const fps of [6, 12.5, 25]) {
      // 160 px/s (2 heights/s) to a stop within a second; then a half circle of 120 px at 80 px/s
      const braking = times(fps, 0, 4000).map((atMs) => {
        const t = Math.min(1, Math.max(0, (atMs - 1000) / 1000));
        return see(atMs, [60 + Math.min(atMs, 1000) * 0.16 + 160 * (t - (t * t) / 2), 300]);
      });
      expect(follow(braking).every(({ start }) => start === undefined || start === 'new')).toBe(true);
      const turning = times(fps, 0, 5000).map((atMs) => {
        const angle = Math.min(Math.PI, Math.max(0, (atMs - 1500) / 750));
        const straight = Math.min(atMs, 1500) * 0.08;
        return see(atMs, [100 + straight + 60 * Math.sin(angle), 200 + 60 * (1 - Math.cos(angle))]);
      });
      const turned = follow(turning);
      expect(
        turned.every(({ start }) => start === undefined || start === 'new'),
        `${fps} fps`,
      ).toBe(true);
      expect(turned.at(-1)?.heading[0]).toBeLessThan(0);
    }
  });

  it('tells where another class is believed', () => {
    const path = new GroundPath();
    const starts = times(12.5, 0, 2000).flatMap((atMs) => {
      if (atMs === 1200) path.changeClass();
      return path.take(see(atMs, along(atMs)), PICTURE).map(({ start }) => start);
    });
    expect(starts.filter((start) => start !== undefined)).toEqual(['new', 'class']);
  });
});

describe('findSight', () => {
  it('takes the first frame of an instant or after it', () => {
    const sights = [0, 80, 160].map((atMs) => see(atMs, along(atMs)));
    expect(findSight(sights, 80)).toBe(sights[1]);
    expect(findSight(sights, 81)).toBe(sights[2]);
    expect(findSight(sights, 161)).toBeUndefined();
  });
});
