import { expect, it } from 'vitest';
import { buildMaskCourse, computeShare } from './mask-series.ts';

const period = { fromMs: 0, toMs: 6 * 60_000, stepMs: 60_000 };

it('adds up the counts and makes the share of them, never the mean of shares', () => {
  const course = buildMaskCourse(
    {
      with: [1, 90, null, null, null, null],
      without: [1, null, null, null, null, null],
      uncertain: [3, 0, null, null, null, null],
      watched: [1, 0.5, null, null, null, null],
    },
    period,
  );
  expect(course.total).toEqual({ with: 91, without: 1, uncertain: 3 });
  expect(course.totalShare?.value).toBeCloseTo(91 / 92);
  expect(course.share.slice(0, 3)).toEqual([50, 100, null]);
  expect(course.watched).toBeCloseTo(0.75);
  // four steps with nobody are a gap, not nought
  expect(course.gaps).toEqual([{ from: 120, to: 360 }]);
});

it('has an interval that few people make wide, and none of nobody', () => {
  expect(computeShare(0, 0)).toBeUndefined();
  const [few, many] = [computeShare(3, 3), computeShare(300, 300)];
  // Wilson's interval of 3 of 3: 0.4385 to 1
  expect(few?.low).toBeCloseTo(0.4385, 3);
  expect(few?.high).toBe(1);
  expect(many?.low).toBeGreaterThan(0.98);
});

it('says no share where nobody could be judged', () => {
  const nobody = [null, null, null, null, null, null];
  const course = buildMaskCourse(
    { with: [0, ...nobody.slice(1)], without: [0, ...nobody.slice(1)], uncertain: nobody, watched: nobody },
    period,
  );
  expect(course.totalShare).toBeUndefined();
  expect(course.share.every((value) => value === null)).toBe(true);
});
