import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { aRoadUser } from '../testing/builder.ts';
import { computeCameraMotion } from './camera-motion.ts';
import { Tracker } from './tracker.ts';

describe('computeCameraMotion', () => {
  it('is what most agree on, axis by axis', () => {
    const residuals: Point[] = [
      [8, 0.5],
      [8.4, -3],
      [7.9, 2],
      [8.1, -1],
      [60, 4],
      [8.2, 0],
    ];
    expect(computeCameraMotion(residuals)[0]).toBeCloseTo(8.2, 9);
    expect(computeCameraMotion(residuals)[1]).toBe(0);
  });

  it('is nothing where few witness it or each goes its own way', () => {
    expect(
      computeCameraMotion([
        [8, 0],
        [8, 0],
        [8, 0],
        [8, 0],
      ]),
    ).toEqual([0, 0]);
    expect(
      computeCameraMotion([
        [-9, 0],
        [-4, 0],
        [1, 0],
        [5, 0],
        [9, 0],
      ]),
    ).toEqual([0, 0]);
  });
});

describe('Tracker on a camera that is pushed', () => {
  it('keeps every id, also of who is out of sight meanwhile', () => {
    const tracker = new Tracker();
    const place = (i: number, shift: number): Box => [100 * i + shift, 200, 100 * i + 30 + shift, 260];
    const see = (atMs: number, shift: number, hidden = -1): number[] =>
      tracker
        .update(
          [0, 1, 2, 3, 4, 5, 6].filter((i) => i !== hidden).map((i) => aRoadUser({ box: place(i, shift) })),
          atMs,
        )
        .filter(({ seen }) => seen)
        .map(({ trackId }) => trackId);
    for (let i = 0; i < 6; i++) see(80 * i, 0);
    see(480, 0, 3);
    // 35 px, more than a box is wide
    for (let i = 7; i < 10; i++) see(80 * i, i === 7 ? 18 : 35, 3);
    expect(see(800, 35)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
