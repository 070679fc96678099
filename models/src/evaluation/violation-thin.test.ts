import { describe, expect, it } from 'vitest';
import type { Claim } from './violation-match.ts';
import { compareRuns } from './violation-thin.ts';

const aClaim = (timeMs: number, x: number, kind = 'RED_LIGHT'): Claim => ({
  kind,
  timeMs,
  frameIndex: timeMs / 40,
  groundPoint: [x, 300],
  boxHeight: 80,
  text: kind,
});

describe('compareRuns', () => {
  it('pairs claims of one kind that are near in time and place, each once', () => {
    const whole = [aClaim(1_000, 100), aClaim(1_200, 105), aClaim(9_000, 400)];
    const thinned = [aClaim(1_040, 110), aClaim(9_080, 400, 'STOP_LINE')];
    const { both, lost, added } = compareRuns(whole, thinned, 2);
    expect(both).toBe(1);
    expect(lost.map(({ timeMs }) => timeMs)).toEqual([1_200, 9_000]);
    expect(added.map(({ kind }) => kind)).toEqual(['STOP_LINE']);
  });

  it('takes a claim at another place for another one', () => {
    expect(compareRuns([aClaim(1_000, 100)], [aClaim(1_000, 300)], 2).both).toBe(0);
  });
});
