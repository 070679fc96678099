import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { NaturalRuns } from './natural-runs.ts';

/** Lengths of runs of a sensor that repeats a number with this probability. */
function learn(runs: NaturalRuns, share: number, readings: number, random: SeededRandom): void {
  let length = 1;
  for (let reading = 0; reading < readings; reading++) {
    if (random.next() < share) {
      length += 1;
      continue;
    }
    runs.addRun(length);
    length = 1;
  }
}

function findLimit(runs: NaturalRuns): number {
  for (let length = 1; length < 10_000; length++) if (runs.isUnnatural(length)) return length;
  return Number.POSITIVE_INFINITY;
}

describe('runs of equal numbers', () => {
  it('are judged by what the sensor does by itself', () => {
    const fine = new NaturalRuns();
    learn(fine, 0.3, 5_000, new SeededRandom(1));
    expect(findLimit(fine)).toBeGreaterThan(15);
    expect(findLimit(fine)).toBeLessThan(45);
    const coarse = new NaturalRuns();
    learn(coarse, 0.9, 5_000, new SeededRandom(1));
    expect(findLimit(coarse)).toBeGreaterThan(180);
    expect(findLimit(coarse)).toBeLessThan(800);
  });

  it('are not judged before enough was seen, and by the calmest of what was seen', () => {
    const runs = new NaturalRuns();
    learn(runs, 0.3, 400, new SeededRandom(2));
    expect(findLimit(runs)).toBe(Number.POSITIVE_INFINITY);
    learn(runs, 0.3, 1_000, new SeededRandom(2));
    const before = findLimit(runs);
    learn(runs, 0.8, 300, new SeededRandom(3));
    learn(runs, 0.3, 1_000, new SeededRandom(4));
    expect(findLimit(runs)).toBeGreaterThan(2 * before);
  });
});
