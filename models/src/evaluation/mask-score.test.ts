import { describe, expect, it } from 'vitest';
import type { LabelledFace } from './mask-folder.ts';
import { type FacePrediction, pairFaces, scorePairs } from './mask-score.ts';

const face = (label: LabelledFace['label'], x: number, side = 40): LabelledFace => ({
  label,
  box: [x, 0, x + side, side],
});
const said = (verdict: FacePrediction['verdict'], x: number, side = 40): FacePrediction => ({
  ...{ verdict, confidence: 0.9 },
  box: [x, 0, x + side, side],
});
const score = (truth: readonly LabelledFace[], found: readonly FacePrediction[]) => {
  const sizes = scorePairs(pairFaces(truth, found));
  const of = (name: string) => sizes.find(({ size }) => size === name) ?? sizes[0];
  return { all: sizes[0], of };
};

describe('the score of masks', () => {
  it('counts an uncertain face as a miss of its label, and as a face that was found', () => {
    const { all } = score(
      [face('with', 0), face('without', 100)],
      [said('uncertain', 0), said('without', 102)],
    );
    expect(all).toMatchObject({
      face: { precision: { hits: 2, total: 2 }, recall: { hits: 2, total: 2 }, f1: 1 },
      with: { precision: { hits: 0, total: 0 }, recall: { hits: 0, total: 1 }, f1: 0 },
      without: { precision: { hits: 1, total: 1 }, recall: { hits: 1, total: 1 }, f1: 1 },
      uncertain: { hits: 1, total: 2 },
    });
  });

  it('holds a wrong verdict against both labels, and a finding without a face against its verdict', () => {
    const { all } = score([face('with', 0)], [said('without', 0), said('with', 300)]);
    expect(all).toMatchObject({
      with: { precision: { hits: 0, total: 1 }, recall: { hits: 0, total: 1 } },
      without: { precision: { hits: 0, total: 1 } },
      rightOfJudged: { hits: 0, total: 1 },
    });
  });

  it('lets what is left out count nowhere, whatever is said of it', () => {
    const { all } = score(
      [face('left-out', 0), face('left-out', 100), face('with', 200)],
      [said('without', 0), said('with', 200)],
    );
    expect(all?.face.f1).toBe(1);
    expect(all?.with.f1).toBe(1);
    expect(all?.without.f1).toBeUndefined();
  });

  it('lets ignored faces count as faces alone', () => {
    const { all } = score([face('ignored', 0), face('ignored', 100)], [said('without', 0)]);
    expect(all).toMatchObject({
      face: { precision: { hits: 1, total: 1 }, recall: { hits: 1, total: 2 } },
      without: { precision: { hits: 0, total: 0 } },
      rightOfJudged: { total: 0 },
    });
  });

  it('gives one face one finding', () => {
    const { all } = score([face('with', 0)], [said('with', 0), said('with', 3)]);
    expect(all?.with.precision).toMatchObject({ hits: 1, total: 2 });
  });

  it('sorts by the size of the labelled face, false findings by their own', () => {
    const { of } = score(
      [face('with', 0, 15), face('with', 100, 16)],
      [said('with', 0, 17), said('with', 300, 33)],
    );
    expect(of('< 16 px')?.with.recall).toMatchObject({ hits: 1, total: 1 });
    expect(of('16–32 px')?.with.recall).toMatchObject({ hits: 0, total: 1 });
    expect(of('≥ 32 px')?.with.precision).toMatchObject({ hits: 0, total: 1 });
  });
});
