import { expect, it } from 'vitest';
import {
  formatDateTime,
  formatDuration,
  formatMeasure,
  formatMediaTime,
  formatPreciseTime,
  formatShare,
} from './format.ts';

it('shows Vietnam time wherever it runs', () => {
  expect(formatDateTime('2025-11-22T18:30:05.000Z', 'vi')).toBe('01:30:05 23/11/2025');
  expect(formatDateTime('2025-11-22T17:00:00.000Z', 'en')).toBe('00:00:00 23/11/2025');
  expect(formatPreciseTime('2025-11-22T03:00:00.048Z', 'en')).toBe('10:00:00.048');
});

it.each([
  [0, '0 s'],
  [480, '480 ms'],
  [4_200, '4.2 s'],
  [59_400, '59 s'],
  [59_999, '60 s'],
  [61_000, '1 min 1 s'],
  [3_599_900, '1 h 0 min'],
  [7_260_000, '2 h 1 min'],
  [86_400_000, '24 h 0 min'],
])('says %i ms as %s', (durationMs, words) => {
  expect(formatDuration(durationMs, 'en')).toBe(words);
});

it('never rounds a little blindness away, nor nearly all up to all', () => {
  expect(formatShare(0, 'en')).toBe('0%');
  expect(formatShare(0.00001, 'en')).toBe('<0.1%');
  expect(formatShare(0.99999, 'en')).toBe('99.9%');
  expect(formatShare(1, 'vi')).toBe('100%');
  expect(formatShare(0.123, 'vi')).toBe('12,3%');
});

it('reads the unit off the name of a measure', () => {
  expect(formatMeasure('crossedMs', 480, 'en')).toEqual({ name: 'crossed', value: '480 ms' });
  expect(formatMeasure('speedLimitKmh', 50, 'en')).toEqual({ name: 'speed limit', value: '50 km/h' });
  expect(formatMeasure('overlapFraction', 0.625, 'en')).toEqual({ name: 'overlap fraction', value: '0.625' });
  expect(formatMeasure('count', 3, 'en')).toEqual({ name: 'count', value: '3' });
});

it('tells the place in a clip to the millisecond', () => {
  expect(formatMediaTime(5_240)).toBe('0:05.240');
  expect(formatMediaTime(65_000)).toBe('1:05.000');
});
