import { describe, expect, it } from 'vitest';
import type { Homography } from '../geometry/homography.ts';
import { pairByTime, placeCanthi, type VisibleFace } from './visible-pairing.ts';

const eyesAt = (atMs: number): VisibleFace => ({ atMs, leftEye: [400, 300], rightEye: [526, 300] });

describe('a face of the visible camera', () => {
  it('is paired with the thermal frame nearest in time, if it is near', () => {
    const faces = [eyesAt(1_000), eyesAt(1_040), eyesAt(1_080)];
    expect(pairByTime(faces, 1_055)?.atMs).toBe(1_040);
    expect(pairByTime(faces, 1_300)).toBeUndefined();
    expect(pairByTime([], 1_000)).toBeUndefined();
  });

  it('names the inner canthi between its eyes, in thermal pixels', () => {
    const half: Homography = [0.5, 0, 10, 0, 0.5, -20, 0, 0, 1];
    const hint = placeCanthi(eyesAt(0), half);
    expect(hint?.left[0]).toBeCloseTo(210 + 63 * 0.24, 6);
    expect(hint?.right[0]).toBeCloseTo(273 - 63 * 0.24, 6);
    expect(hint?.left[1]).toBeCloseTo(130, 6);
    const mirrored: Homography = [-0.5, 0, 400, 0, 0.5, 0, 0, 0, 1];
    const turned = placeCanthi(eyesAt(0), mirrored);
    expect(turned?.left[0]).toBeLessThan(turned?.right[0] ?? 0);
  });

  it('is left out where it maps to nowhere', () => {
    expect(placeCanthi(eyesAt(0), [1, 0, 0, 0, 1, 0, -0.01, 0, 1])).toBeUndefined();
  });
});
