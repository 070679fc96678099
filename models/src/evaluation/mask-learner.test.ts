import { FUSION, fuseFeatures, TRAINED_FACE_ASSET } from '@ngatu/edge';
import { describe, expect, it } from 'vitest';
import { AssetStore } from '../asset-store.ts';
import { fitLogistic, type LearningFace, learnCoefficients, learnFolds } from './mask-learner.ts';
import { listFoldNetworks } from './mask-learning.ts';
import { readMaskTraining } from './mask-training.ts';

/** Even numbers between 0 and 1, the same ones every time. */
const spread = (count: number): number[] => Array.from({ length: count }, (_, at) => (at + 0.5) / count);

/** Faces whose first feature says what they are, more or less: `share` of them say the contrary. */
function drawFaces(count: number, contrary: number): LearningFace[] {
  return spread(count).map((value, at) => {
    const isFace = at % 4 !== 0;
    const isMasked = at % 2 === 0;
    const isContrary = (at * 7) % count < contrary * count;
    const sign = (is: boolean): number => (is === isContrary ? -1 : 1) * (1 + value);
    return {
      fold: at % 5,
      ...(isFace ? { label: isMasked ? ('with' as const) : ('without' as const) } : {}),
      features: {
        face: [1, 0, 3 * sign(isFace), 0, 0, 0, 0],
        mask: [1, 0, 3 * sign(isMasked), 0, 0, 0],
      },
    };
  });
}

describe('the learner of masks', () => {
  it('finds the odds that the examples have', () => {
    const examples = [...spread(300)].map((_, at) => ({ values: [1], isTrue: at % 3 !== 0 }));
    expect(fitLogistic(examples, 1e-9)[0]).toBeCloseTo(Math.log(2), 3);
  });

  it('tells faces and masks apart that were not learned from', () => {
    const faces = drawFaces(200, 0.05);
    const folds = learnFolds(faces, 5);
    const right = faces.filter(({ fold, label, features }) => {
      if (features === undefined) return false;
      const { verdict } = fuseFeatures(features, folds[fold]);
      return label === undefined ? verdict === 'uncertain' : verdict === label;
    });
    expect(right.length / faces.length).toBeGreaterThan(0.85);
  });

  it('hesitates more where the examples contradict each other', () => {
    const [clear, torn] = [0.02, 0.4].map((contrary) => learnCoefficients(drawFaces(200, contrary)));
    expect(Math.abs(torn?.mask[2] ?? 9)).toBeLessThan(Math.abs(clear?.mask[2] ?? 0));
  });

  it('learns the same from the same faces', () => {
    expect(learnCoefficients(drawFaces(200, 0.1))).toEqual(learnCoefficients(drawFaces(200, 0.1)));
  });
});

it('the product runs what was learned on all pictures, and the folds were learned without their own', () => {
  const { all, folds, networks, pictures } = readMaskTraining();
  expect(FUSION).toEqual(all);
  expect(new Set(pictures.map(({ fold }) => fold)).size).toBe(folds.length);
  expect(new Set(folds.map((fold) => JSON.stringify(fold))).size).toBe(folds.length);
  expect(networks).toHaveLength(folds.length);
  expect(new Set(networks.map(({ sha256 }) => sha256)).size).toBe(folds.length);
});

it('the networks that lie there are those that were used, and none of them ships', async () => {
  const { signal } = new AbortController();
  const { networks } = readMaskTraining();
  expect(await listFoldNetworks(signal)).toEqual(networks);
  const shipped = await new AssetStore().resolveModel(TRAINED_FACE_ASSET, { signal });
  expect(networks.map(({ sha256 }) => sha256)).not.toContain(shipped.sha256);
});
