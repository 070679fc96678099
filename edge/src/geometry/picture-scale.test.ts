import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { PictureScaleLearner } from './picture-scale.ts';

describe('PictureScaleLearner', () => {
  it('tells nothing before eight road users were seen', () => {
    const learner = new PictureScaleLearner();
    for (let user = 0; user < 7; user++) {
      for (let sample = 0; sample < 5; sample++) learner.add(300 + 10 * sample, 50, sample === 0);
    }
    expect(learner.at(320)).toBeUndefined();
    learner.add(320, 50, true);
    expect(learner.at(320)?.pxPerMetre).toBeCloseTo(50, 6);
  });

  it('finds the scale of a picture from bodies of different sizes, within its error', () => {
    let inside = 0;
    forAll(60, (random) => {
      const learner = new PictureScaleLearner();
      const scaleAt = (y: number) => 0.18 * (y - 60);
      for (let user = 0; user < 30; user++) {
        const size = 1 + 0.08 * random.gaussian();
        for (let sample = 0; sample < 5; sample++) {
          const y = random.between(250, 470);
          learner.add(y, scaleAt(y) * size * (1 + 0.02 * random.gaussian()), sample === 0);
        }
      }
      const at = learner.at(350);
      expect(at?.errorShare).toBeLessThan(0.04);
      if (Math.abs((at?.pxPerMetre ?? 0) / scaleAt(350) - 1) < 2 * (at?.errorShare ?? 0)) inside += 1;
    });
    expect(inside).toBeGreaterThanOrEqual(55);
  });

  it('is not sure far from where road users were seen, and says nothing there', () => {
    const learner = new PictureScaleLearner();
    for (let user = 0; user < 12; user++) learner.add(340 + user, 50 + 3 * Math.sin(user), true);
    expect(learner.at(345)).toBeDefined();
    expect(learner.at(100)).toBeUndefined();
  });

  it('passes over who is no usual road user', () => {
    const learner = new PictureScaleLearner();
    for (let user = 0; user < 20; user++) learner.add(300 + 5 * user, 50, true);
    for (let user = 0; user < 5; user++) learner.add(340, 90, true);
    expect(learner.at(340)?.pxPerMetre).toBeCloseTo(50, 6);
  });
});
