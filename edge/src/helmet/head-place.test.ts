import { describe, expect, it } from 'vitest';
import { locateHead } from './head-place.ts';

describe('locateHead', () => {
  it('finds it at the upper edge of a person, in the middle', () => {
    const head = locateHead([100, 200, 140, 300]);
    expect(head).toEqual([expect.closeTo(110.1), 200, expect.closeTo(129.9), expect.closeTo(222)]);
  });

  it('is never wider than the person', () => {
    const [x1 = 0, , x2 = 0] = locateHead([100, 0, 112, 200]) ?? [];
    expect([x1, x2]).toEqual([100, 112]);
  });

  it('knows of no head where the box is wide, empty or no box', () => {
    expect(locateHead([0, 0, 90, 100])).toBeUndefined();
    expect(locateHead([10, 10, 10, 50])).toBeUndefined();
    expect(locateHead([Number.NaN, 0, 10, 50])).toBeUndefined();
  });
});
