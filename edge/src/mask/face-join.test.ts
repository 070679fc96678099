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

describe('findings of several finders', () => {
  it('are one face where they overlap, with the box of the surest one, the mean and what each said', () => {
    const landmarks = [[1, 2]] as const;
    const joined = joinFindings([
      [found(at(0), 0.8, { landmarks })],
      [found(at(4), 0.9, { maskLogit: 2 }), found(at(200), 0.5, { maskLogit: -1 })],
      [found(at(2), 0.4, { maskLogit: 3 }), found(at(400), 0.2, { maskLogit: 1 })],
    ]);
    expect(joined).toEqual([
      {
        ...{ box: at(4), meanBox: expect.any(Array), confidence: 0.9 * 0.95, landmarks },
        readings: [{ confidence: 0.8 }, { confidence: 0.9, maskLogit: 2 }, { confidence: 0.4, maskLogit: 3 }],
      },
      {
        ...{ box: at(200), meanBox: expect.any(Array), confidence: 0.5 * 0.95 },
        readings: [{ confidence: 0 }, { confidence: 0.5, maskLogit: -1 }, { confidence: 0 }],
      },
      {
        ...{ box: at(400), meanBox: expect.any(Array), confidence: 0.2 * 0.65 },
        readings: [{ confidence: 0 }, { confidence: 0 }, { confidence: 0.2, maskLogit: 1 }],
      },
    ]);
    expect(joined.map(({ meanBox }) => Math.round(meanBox[0]))).toEqual([2, 200, 400]);
  });

  it('take the box of the first finder where others are about as sure, and alone the third is never sure', () => {
    expect(joinFindings([[found(at(0), 0.9)], [found(at(4), 0.92)]])[0]?.box).toEqual(at(0));
    expect(joinFindings([[], [], [found(at(0), 1)]])[0]?.confidence).toBeLessThan(0.7);
  });

  it('have a mean that is nearer to the surer one', () => {
    const [left = NaN, top] = joinFindings([[found(at(0), 0.4)], [found(at(4), 0.8)]])[0]?.meanBox ?? [];
    expect(left).toBeGreaterThan(2);
    expect(left).toBeLessThan(3);
    expect(top).toBe(0);
  });

  it('are one face where one lies in the other, and two where they lie side by side', () => {
    expect(joinFindings([[found(at(0, 40), 0.9), found(at(10, 16, 10), 0.6)], []])).toHaveLength(1);
    expect(joinFindings([[found(at(0, 40), 0.9), found(at(30, 40), 0.6)], []])).toHaveLength(2);
  });
});

describe('a fused look', () => {
  const sure: FusionCoefficients = {
    face: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    mask: [0, 0, 0.5, 0.5, 0, 0, 0, 0, 0],
    minShare: 0.4,
  };
  const look = (first: number, maskLogit?: number) =>
    fuseFeatures(
      describeFace(at(0), {
        finders: [
          { confidence: first },
          { confidence: 0, ...(maskLogit === undefined ? {} : { maskLogit }) },
          { confidence: 0, ...(maskLogit === undefined ? {} : { maskLogit }) },
        ],
        crops: [],
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
