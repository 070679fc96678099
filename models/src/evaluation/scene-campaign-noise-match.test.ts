import type { Detection } from '@ngatu/edge';
import { describe, expect, it } from 'vitest';
import type { Box, LabelledPicture, TruthBox } from './scene-campaign-noise-data.ts';
import { listFalseBoxes, sampleNoise } from './scene-campaign-noise-match.ts';

const found = (label: Detection['label'], box: Box, confidence = 0.8): Detection => ({
  label,
  box,
  confidence,
});

function picture(
  truth: readonly TruthBox[],
  findings: readonly Detection[],
  leftOut: readonly Box[] = [],
): LabelledPicture {
  return { name: 'p', width: 640, height: 480, truth, findings, leftOut };
}

const WALKER: TruthBox = { label: 'person', box: [100, 100, 130, 180], trackId: 7 };

describe('sampleNoise', () => {
  it('holds people on foot against findings of people, with the errors of the edges over the height', () => {
    const [sample, ...others] = sampleNoise(picture([WALKER], [found('person', [104, 100, 134, 184])]));
    expect(others).toEqual([]);
    expect(sample).toMatchObject({ group: 'pedestrian', trackId: 7, heightPx: 80, confidence: 0.8 });
    expect(sample?.errors?.left).toBeCloseTo(0.05);
    expect(sample?.errors?.bottom).toBeCloseTo(0.05);
  });

  it('tells who was missed, and no vehicle for a person', () => {
    const [sample] = sampleNoise(picture([WALKER], [found('motorbike', [100, 100, 130, 180])]));
    expect(sample).toMatchObject({ group: 'pedestrian', confidence: 0 });
  });

  it('takes a rider for a rider, not for somebody on foot', () => {
    const ride: TruthBox = { label: 'both', box: [200, 100, 250, 200] };
    const groups = sampleNoise(picture([ride], [])).map(({ group }) => group);
    expect(groups).toEqual(['bike', 'rider']);
  });

  it('says how much of somebody others cover who stand nearer', () => {
    const nearer: TruthBox = { label: 'person', box: [115, 110, 145, 200] };
    const shares = sampleNoise(picture([WALKER, nearer], [])).map(({ visibleShare }) => visibleShare);
    expect(shares[0]).toBeLessThan(0.7);
    expect(shares[1]).toBe(1);
  });

  it('leaves out who is cut by the edge of the picture', () => {
    expect(sampleNoise(picture([{ label: 'person', box: [0, 100, 30, 180] }], []))).toEqual([]);
  });
});

describe('listFalseBoxes', () => {
  const post = found('person', [300, 100, 314, 130]);
  const car = found('car', [400, 100, 460, 140]);

  it('tells false people from false vehicles', () => {
    expect(listFalseBoxes(picture([], [post, car]), 'people')).toEqual([post]);
    expect(listFalseBoxes(picture([], [post, car]), 'vehicles')).toEqual([car]);
  });

  it('blames nobody for a rider, for somebody who is there or for somebody who is covered', () => {
    const ride: TruthBox = { label: 'both', box: [200, 100, 250, 200] };
    const findings = [
      found('person', [205, 100, 245, 160]),
      found('person', WALKER.box),
      found('person', [500, 100, 530, 180]),
    ];
    expect(listFalseBoxes(picture([ride, WALKER], findings, [[500, 100, 530, 180]]), 'people')).toEqual([]);
  });
});
