import { describe, expect, it } from 'vitest';
import { seedRandom } from './fault-campaign-plan.ts';
import { computeStudentQuantile, fitSlope, type Sample } from './memory-slope.ts';

const EVERY_MINUTES = 5 / 60;

function sampleLine(count: number, valueAt: (minutes: number) => number): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const minutes = index * EVERY_MINUTES;
    return { minutes, value: valueAt(minutes) };
  });
}

describe('fitSlope', () => {
  it('finds the slope of a line exactly', () => {
    const { perMinute, marginPerMinute } = fitSlope(sampleLine(180, (minutes) => 150 + 0.75 * minutes));
    expect(perMinute).toBeCloseTo(0.75, 9);
    expect(marginPerMinute).toBeCloseTo(0, 6);
  });

  it('holds the true slope within its interval in 95 of 100 runs, also where samples resemble each other', () => {
    const random = seedRandom(7);
    const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    for (const correlation of [0, 0.8]) {
      let held = 0;
      for (let run = 0; run < 200; run++) {
        let noise = 0;
        const samples = sampleLine(180, (minutes) => {
          noise = correlation * noise + Math.sqrt(1 - correlation ** 2) * gaussian() * 5;
          return 200 + 0.4 * minutes + noise;
        });
        const { perMinute, marginPerMinute } = fitSlope(samples);
        if (Math.abs(perMinute - 0.4) <= marginPerMinute) held++;
      }
      expect(held / 200).toBeGreaterThan(0.9);
      expect(held / 200).toBeLessThan(0.995);
    }
  });

  it('sees a leak of 2 MB a minute under the saw of a garbage collector', () => {
    const samples = sampleLine(180, (minutes) => 180 + 2 * minutes + 20 * ((minutes * 1.7) % 1));
    const { perMinute, marginPerMinute } = fitSlope(samples);
    expect(perMinute - marginPerMinute).toBeGreaterThan(1);
    expect(perMinute + marginPerMinute).toBeLessThan(3);
  });

  it('counts samples that resemble each other for less', () => {
    const wave = sampleLine(180, (minutes) => Math.sin(minutes));
    expect(fitSlope(wave).effectiveSamples).toBeLessThan(10);
  });

  it('refuses what makes no line', () => {
    expect(() => fitSlope(sampleLine(9, () => 1))).toThrow(RangeError);
    expect(() => fitSlope(Array.from({ length: 20 }, () => ({ minutes: 1, value: 2 })))).toThrow(RangeError);
  });
});

it('knows the quantiles of Student, as tables print them', () => {
  expect(computeStudentQuantile(1)).toBeCloseTo(12.706, 3);
  expect(computeStudentQuantile(5)).toBeCloseTo(2.571, 2);
  expect(computeStudentQuantile(30)).toBeCloseTo(2.042, 3);
  expect(computeStudentQuantile(1_000)).toBeCloseTo(1.962, 3);
});
