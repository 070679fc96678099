import { expect, it } from 'vitest';
import { describeMeasures } from './measure.ts';

const valuesOf = (measures: Record<string, number>, language: 'vi' | 'en' = 'en') =>
  describeMeasures(measures, language).map(({ words, value }) => [words, value]);

it('shows a measure with its error and its bounds as one', () => {
  expect(
    valuesOf({
      rearBeyondLinePx: 31.5,
      rearErrorPx: 6.2,
      speedKmh: 72.4,
      speedLowKmh: 66.1,
      speedHighKmh: 78.8,
    }),
  ).toEqual([
    ['Rear past the line', '31.5 ± 6.2 px'],
    ['Speed (95 % interval)', '72.4 (66.1–78.8) km/h'],
  ]);
  expect(valuesOf({ angleDeg: 152.5, angleErrorDeg: 8 }, 'vi')[0]?.[1]).toBe('152,5 ± 8°');
  expect(
    valuesOf({
      crossedAtMediaMs: 10_000,
      crossedEarliestMediaMs: 9_920,
      crossedLatestMediaMs: 10_060,
    })[0]?.[1],
  ).toBe('0:10.000 (0:09.920–0:10.060)');
});

it('shows times as lengths of time, and reads the unit off a name that it does not know', () => {
  expect(valuesOf({ redBeforeCrossingMs: 4_200 }, 'vi')).toEqual([
    ['Đèn đã đỏ trước khi qua vạch', '4,2 giây'],
  ]);
  expect(valuesOf({ neverHeardOfPx: 3, someShare: 0.625, otherMs: 480 })).toEqual([
    ['never heard of', '3 px'],
    ['some share', '0.63'],
    ['other', '480 ms'],
  ]);
});

it('keeps an error that stands alone, and leaves a bound out where one of the two is missing', () => {
  expect(valuesOf({ rearErrorPx: 6.2 })).toEqual([['rear error', '6.2 px']]);
  expect(valuesOf({ speedKmh: 70, speedLowKmh: 66 })[0]?.[1]).toBe('70 km/h');
});
