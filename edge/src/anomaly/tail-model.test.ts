import { expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { computeNormalRarity } from './normal-tail.ts';
import { SeriesHistory } from './series-history.ts';
import { TailModel } from './tail-model.ts';

it('extrapolates an exponential tail beyond what was seen', () => {
  const random = new SeededRandom(1);
  const tail = new TailModel(4_000);
  expect(tail.rarityOf(1)).toBeUndefined();
  for (let draw = 0; draw < 4_000; draw++) tail.push(-Math.log(1 - random.next()));
  for (const rarity of [2, 3, 4]) expect(tail.rarityOf(rarity * Math.LN10)).toBeCloseTo(rarity, -0.3);
  expect(tail.rarityOf(-Math.log(0.5))).toBeCloseTo(Math.log10(2), 1);
});

it('takes a heavy tail for heavier, and judges the same after a restart', () => {
  const random = new SeededRandom(2);
  const tail = new TailModel(500);
  for (let draw = 0; draw < 1_207; draw++) tail.push((1 - random.next()) ** -0.3);
  const list = tail.list();
  expect(list).toHaveLength(500);
  const again = new TailModel(500);
  again.restore(list);
  for (let draw = 0; draw < 600; draw++) {
    const value = (1 - random.next()) ** -0.3;
    expect(again.rarityOf(value)).toBe(tail.rarityOf(value));
    tail.push(value);
    again.push(value);
  }
  expect(tail.rarityOf(10 ** (0.3 * 4))).toBeGreaterThan(2.5);
  expect(tail.rarityOf(10 ** (0.3 * 4))).toBeLessThan(5.5);
});

it('knows the tail of the normal distribution', () => {
  // Q(1) = 0.158655, Q(3) = 1.349898e-3, Q(5) = 2.866516e-7, Q(8) = 6.22096e-16
  const known = [
    [0, 0.5],
    [1, 0.158655],
    [-3, 1.349898e-3],
    [4.999, 2.8814e-7],
    [5, 2.866516e-7],
    [8, 6.22096e-16],
  ] as const;
  for (const [deviations, chance] of known)
    expect(computeNormalRarity(deviations)).toBeCloseTo(-Math.log10(chance), 1.4);
});

it('keeps mean and spread of a ring of readings', () => {
  const random = new SeededRandom(3);
  const history = new SeriesHistory(50);
  const check = (): void => {
    const values = Array.from({ length: history.length }, (_, index) => history.valueAt(index));
    const mean = values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
    const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, values.length);
    expect(history.mean).toBeCloseTo(mean, 9);
    expect(history.deviation).toBeCloseTo(Math.sqrt(variance), 6);
  };
  for (let at = 1; at <= 333; at++) {
    history.push(at * 10, 1_000 + random.gaussian());
    if (at % 13 === 0) check();
  }
  expect(history.usualIntervalMs).toBe(10);
  history.keepNewest(7);
  check();
  expect([history.length, history.firstAtMs, history.lastAtMs]).toEqual([7, 3_270, 3_330]);
  const again = new SeriesHistory(50);
  again.restore(history.list(), history.usualIntervalMs);
  expect([...again.list()]).toEqual([...history.list()]);
});
