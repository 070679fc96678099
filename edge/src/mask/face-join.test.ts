import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import type { FaceFinding } from './face-decoder.ts';
import { describeFace, type FusionCoefficients, fuseFeatures } from './face-fusion.ts';
import { joinFindings } from './face-join.ts';

const at = (x: number, side = 40, y = 0): Box => [x, y, x + side, y + side];
const found = (box: Box, confidence: number, more: Partial<FaceFinding> = {}): FaceFinding => ({
  box,
  confidence,
  ...more,
});

describe('findings of two finders', () => {
  it('are one face where they overlap, with the box of the surer one and what both said', () => {
    const landmarks = [[1, 2]] as const;
    const joined = joinFindings(
      [found(at(0), 0.8, { landmarks })],
      [found(at(4), 0.9, { maskLogit: 2 }), found(at(200), 0.5, { maskLogit: -1 })],
    );
    expect(joined).toMatchObject([
      { box: at(4), confidence: 0.9, landmarks, readings: { first: 0.8, second: 0.9, maskLogit: 2 } },
      { box: at(200), confidence: 0.5, readings: { first: 0, second: 0.5, maskLogit: -1 } },
    ]);
  });

  it('take the box of the first finder where both are about as sure', () => {
    expect(joinFindings([found(at(0), 0.9)], [found(at(4), 0.92)])[0]?.box).toEqual(at(0));
  });

  it('are one face where one lies in the other, and two where they lie side by side', () => {
    expect(joinFindings([found(at(0, 40), 0.9), found(at(10, 16, 10), 0.6)], [])).toHaveLength(1);
    expect(joinFindings([found(at(0, 40), 0.9), found(at(30, 40), 0.6)], [])).toHaveLength(2);
  });
});

describe('a fused look', () => {
  const sure: FusionCoefficients = {
    face: [0, 0, 1, 0, 0, 0, 0],
    mask: [0, 0, 1, 0, 0, 0],
    minShare: 0.4,
  };
  const look = (first: number, maskLogit?: number) =>
    fuseFeatures(
      describeFace(at(0), {
        finders: { first, second: 0, ...(maskLogit === undefined ? {} : { maskLogit }) },
        ...{ near: { faceConfidence: 0 }, wide: { faceConfidence: 0 }, second: { faceConfidence: 0 } },
      }),
      sure,
    );

  it('gives a verdict where face and mask together are likely enough', () => {
    expect(look(0.9, 3)).toMatchObject({ verdict: 'with' });
    expect(look(0.9, -3)).toMatchObject({ verdict: 'without' });
    expect(look(0.9, 0.1).verdict).toBe('with');
    expect(look(0.6, 0.1).verdict).toBe('uncertain');
    expect(look(0.3, 3).verdict).toBe('uncertain');
  });

  it('takes for a face what is one with the least probability of a verdict', () => {
    expect(look(0.41, 3).faceLogit).toBeGreaterThan(0);
    expect(look(0.39, 3).faceLogit).toBeLessThan(0);
  });

  it('tells nothing of a mask of which nobody told anything', () => {
    expect(look(0.9)).not.toHaveProperty('maskLogit');
    expect(look(0.9).verdict).toBe('uncertain');
  });
});
