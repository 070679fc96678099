import { expect, it } from 'vitest';
import {
  formatDateTime,
  formatDay,
  formatDuration,
  formatFine,
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

it('writes a fine in the unit in which people say it', () => {
  expect(formatFine({ fineMinVnd: 4_000_000, fineMaxVnd: 6_000_000 }, 'vi')).toBe('4–6 triệu đồng');
  expect(formatFine({ fineMinVnd: 400_000, fineMaxVnd: 600_000 }, 'vi')).toBe('400.000–600.000 đồng');
  expect(formatFine({ fineMinVnd: 800_000, fineMaxVnd: 1_000_000 }, 'en')).toBe('VND 800,000–1,000,000');
  expect(formatDay('2025-01-02')).toBe('02/01/2025');
});

it('tells the place in a clip to the millisecond', () => {
  expect(formatMediaTime(5_240)).toBe('0:05.240');
  expect(formatMediaTime(65_000)).toBe('1:05.000');
});
