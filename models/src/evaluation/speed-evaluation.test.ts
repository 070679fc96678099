import { describe, expect, it } from 'vitest';
import { evaluateSpeed, formatSpeedTable } from './speed-evaluation.ts';

function drawFrom(seed: number): () => number {
  let state = seed;
  return () => {
    // minimal standard generator (Park & Miller 1988)
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('speed on exact passages', () => {
  const metrics = evaluateSpeed({ cases: 500, random: drawFrom(2_026) });

  it('holds 90–98 % of true speeds inside the 95 % interval, near and far, steep and shallow, at every frame rate', () => {
    const [all, ...groups] = metrics.groups;
    expect(all?.coverage.value).toBeGreaterThan(0.93);
    expect(all?.coverage.value).toBeLessThan(0.98);
    for (const { group, coverage } of groups) {
      // what a group of this size cannot tell from 0.90 or 0.98 passes
      expect(coverage.high, group).toBeGreaterThan(0.9);
      expect(coverage.low, group).toBeLessThan(0.98);
    }
  });

  it('states a lower bound above the truth about as rarely as it says', () => {
    expect(metrics.groups[0]?.aboveTruth.low).toBeLessThan(0.025);
  });

  it('is good enough to be of use, and measures nearly every passage', () => {
    expect(metrics.groups[0]?.medianErrorKmh).toBeLessThan(1.2);
    expect(metrics.groups[0]?.boundKmh).toBeLessThan(4);
    expect(metrics.abstained.value).toBeLessThan(0.02);
    expect(formatSpeedTable(metrics)).toContain('| distance 40–60 m |');
  });
});
