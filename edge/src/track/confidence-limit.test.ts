import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { ConfidenceLimit } from './confidence-limit.ts';

/** Learns from findings of two kinds, doubtful and sure ones. */
function learn(doubtful: readonly [number, number], sure: readonly [number, number], count = 2000): number {
  const limit = new ConfidenceLimit();
  const random = new SeededRandom(5);
  for (let i = 0; i < count; i++) limit.add(random.between(...(i % 3 === 0 ? doubtful : sure)));
  return limit.value;
}

describe('ConfidenceLimit', () => {
  it('parts doubtful findings from sure ones, wherever the detector puts them', () => {
    const careful = learn([0.1, 0.25], [0.5, 0.7]);
    const bold = learn([0.5, 0.7], [0.95, 1]);
    expect(careful).toBeGreaterThan(0.25);
    expect(careful).toBeLessThan(0.5);
    expect(bold).toBeGreaterThan(0.69);
    expect(bold).toBeLessThan(0.95);
  });

  it('stays with what it believes where there is one kind only, or nothing yet', () => {
    const before = new ConfidenceLimit().value;
    expect(learn([0.85, 0.95], [0.85, 0.95])).toBeCloseTo(before, 2);
    expect(learn([0.5, 0.7], [0.95, 1], 3)).toBeCloseTo(before, 1);
  });

  it('follows a change of light', () => {
    const limit = new ConfidenceLimit();
    for (let i = 0; i < 20_000; i++) limit.add(i % 2 === 0 ? 0.6 : 0.97);
    const day = limit.value;
    for (let i = 0; i < 20_000; i++) limit.add(i % 2 === 0 ? 0.15 : 0.5);
    expect(limit.value).toBeLessThan(day - 0.1);
  });

  it('takes any number', () => {
    const limit = new ConfidenceLimit();
    for (const value of [-1, 0, 1, 7]) limit.add(value);
    expect(Number.isFinite(limit.value)).toBe(true);
  });
});
