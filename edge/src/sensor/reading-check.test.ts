import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { aReading } from '../testing/sensor-builder.ts';
import { ReadingCheck } from './reading-check.ts';
import { computeReadingRule } from './reading-rule.ts';
import type { Sample } from './sensor-sample.ts';

const T0 = Date.UTC(2026, 0, 5, 8);
const STEP = 10_000;

function checkOf(parts: Record<string, unknown> = {}, maxClockErrorMs = 30_000) {
  const rule = computeReadingRule(aReading(parts), { intervalMs: STEP, maxClockErrorMs });
  const check = new ReadingCheck(rule, T0);
  let atMs = T0;
  return {
    check,
    /** Judges one after another, ten seconds apart. */
    give: (...samples: (number | Sample)[]) =>
      samples.map((sample) => {
        atMs += STEP;
        return check.judge(typeof sample === 'number' ? { raw: sample } : sample, atMs);
      }),
    faults: (...samples: (number | Sample)[]): (string | undefined)[] =>
      samples.map((sample) => {
        atMs += STEP;
        return check.judge(typeof sample === 'number' ? { raw: sample } : sample, atMs).fault;
      }),
    skip: (ms: number) => {
      atMs += ms;
    },
    nowMs: () => atMs,
  };
}

describe('a reading', () => {
  it('is brought into its unit', () => {
    const { give } = checkOf({ scale: 0.1, offset: -40 });
    expect(give(690)).toMatchObject([{ value: 29, quality: 'good', atMs: T0 + STEP }]);
    expect(give(690)[0]).not.toHaveProperty('fault');
  });

  it('is never better than its profile says', () => {
    expect(checkOf({ quality: 'uncertain' }).give(29)).toMatchObject([{ quality: 'uncertain' }]);
  });

  it('outside of what is possible is bad, and so is what the device marks', () => {
    const { give, faults } = checkOf({ noValue: [32_767] });
    expect(give(85, -21, 32_767, Number.NaN)).toMatchObject([
      { quality: 'bad', fault: 'range', value: 85 },
      { quality: 'bad', fault: 'range' },
      { quality: 'bad', fault: 'device' },
      { quality: 'bad', fault: 'device' },
    ]);
    expect(faults(29)).toEqual([undefined]);
    expect(give({ fault: 'exception', reason: 'code 4' })).toMatchObject([{ fault: 'exception' }]);
  });

  it('that jumps is bad, until five that agree make a new level', () => {
    const { faults } = checkOf();
    expect(faults(29, 29.1, 45, 29.2, 29.1)).toEqual([undefined, undefined, 'rate', undefined, undefined]);
    expect(faults(40, 40.1, 40, 40.2, 40.1, 40)).toEqual([
      'rate',
      'rate',
      'rate',
      'rate',
      undefined,
      undefined,
    ]);
    // noise that agrees with nothing is never taken
    expect(faults(20, 50, 10, 55, 5, 48, 9, 52)).not.toContain(undefined);
  });

  it('may differ more after a gap', () => {
    const { faults, skip } = checkOf();
    faults(29);
    skip(600_000);
    expect(faults(38)).toEqual([undefined]);
  });

  it('that never changes is stuck after its time, and believed at once when it moves', () => {
    const { faults } = checkOf({ stuckAfterMs: 100_000 });
    const seen = faults(...new Array<number>(14).fill(29.3));
    expect(seen.slice(0, 10)).toEqual(new Array(10).fill(undefined));
    expect(seen.slice(10)).toEqual(new Array(4).fill('stuck'));
    expect(faults(29.4)).toEqual([undefined]);
    const rain = checkOf({ metric: 'rainRate', unit: 'mm/h', stuckAfterMs: 100_000 });
    expect(rain.faults(...new Array<number>(20).fill(0))).toEqual(new Array(20).fill(undefined));
  });

  it('that repeats more than it ever did is uncertain long before its time', () => {
    const { give } = checkOf({ stuckAfterMs: 3_600_000, change: { step: 100, perMinute: 0 } });
    give(...Array.from({ length: 1_000 }, (_, index) => 29 + (Math.floor(index / 2) % 7) / 10));
    const qualities = give(...new Array<number>(400).fill(29.3)).map(({ quality, fault }) => [
      quality,
      fault,
    ]);
    const first = qualities.findIndex(([, fault]) => fault === 'stuck');
    expect(first).toBeGreaterThan(10);
    expect(first).toBeLessThan(60);
    expect(qualities[first]).toEqual(['uncertain', 'stuck']);
    expect(qualities.at(-1)).toEqual(['bad', 'stuck']);
    expect(give(29.4)).toMatchObject([{ quality: 'good' }]);
  });

  it('with a clock that is off is uncertain; told again it is stale', () => {
    const { give, nowMs } = checkOf();
    const at = (raw: number, errorMs: number): Sample => ({ raw, deviceAtMs: nowMs() + STEP + errorMs });
    expect(give(at(29, 500))).toMatchObject([{ quality: 'good' }]);
    expect(give(at(29.1, 3_600_000))).toMatchObject([{ quality: 'uncertain', fault: 'clock', value: 29.1 }]);
    expect(give(at(29.2, -400 * 86_400_000))).toMatchObject([{ quality: 'uncertain', fault: 'clock' }]);
    const sample = at(29.2, 100);
    expect(give(sample, sample)).toMatchObject([{ quality: 'good' }, { quality: 'bad', fault: 'stale' }]);
    expect(give(sample)[0]).not.toHaveProperty('value');
    // the clock is set back by two seconds: one reading is lost, no more
    expect(give(at(29.3, -29_950))).toMatchObject([{ fault: 'stale' }]);
    expect(give(at(29.3, -2_000))).toMatchObject([{ quality: 'good' }]);
  });
});

describe('a counter', () => {
  const COUNTER = { metric: 'loopCount', unit: '1', counter: { modulus: 65_536 } };

  it('gives how much it went on, over its end and over a gap', () => {
    const { give, skip } = checkOf(COUNTER);
    const [first, ...rest] = give(65_500, 65_530, 4);
    expect(first).not.toHaveProperty('value');
    expect(rest).toMatchObject([{ value: 30 }, { value: 10, quality: 'good' }]);
    skip(3_600_000);
    expect(give(3_004)).toMatchObject([{ value: 3_000, quality: 'good' }]);
  });

  it('that began anew is uncertain, and one that leaps is bad', () => {
    const { give } = checkOf(COUNTER);
    expect(give(30_000, 12)).toMatchObject([{}, { value: 12, quality: 'uncertain', fault: 'device' }]);
    expect(give(9_000)).toMatchObject([{ quality: 'bad', fault: 'range' }]);
  });
});

describe('a gap', () => {
  it('is counted once, however often it is asked for', () => {
    const { check, faults, nowMs } = checkOf();
    faults(29);
    const base = nowMs();
    expect(check.countMissed(base + 2.4 * STEP)).toBe(0);
    expect(check.countMissed(base + 4 * STEP)).toBe(3);
    expect(check.countMissed(base + 4.5 * STEP)).toBe(0);
    expect(check.countMissed(base + 10 * STEP)).toBe(6);
    expect(check.judge({ raw: 29 }, base + 11 * STEP).fault).toBeUndefined();
    expect(check.countMissed(base + 12 * STEP)).toBe(0);
  });

  it('begins with the first reading that never came', () => {
    expect(checkOf().check.countMissed(T0 + 6 * STEP)).toBe(5);
  });
});

it('never believes what lies outside of its limits, whatever comes in whatever order', () => {
  forAll(100, (random) => {
    const { give, nowMs } = checkOf({ change: { step: 5, perMinute: 1 } });
    for (let step = 0; step < 80; step++) {
      const raw = random.next() < 0.1 ? Number.NaN : random.between(-100, 150);
      const deviceAtMs = nowMs() + random.between(-1e9, 1e9);
      const sample: Sample = random.next() < 0.5 ? { raw } : { raw, deviceAtMs };
      for (const { quality, value, fault } of give(sample)) {
        if (quality !== 'good') expect(fault).toBeDefined();
        else expect(value !== undefined && value >= -20 && value <= 60).toBe(true);
      }
    }
  });
});
