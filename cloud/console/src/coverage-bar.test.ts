import { expect, it } from 'vitest';
import { stackBucket } from './coverage-bar.tsx';

const bucket = (analysedMs: number, degradedMs: number, blindMs: number, unreportedMs: number) => ({
  from: '2025-11-22T03:00:00.000Z',
  to: '2025-11-22T03:30:00.000Z',
  analysedMs,
  degradedMs,
  blindMs,
  unreportedMs,
});

it('fills the column, whatever the shares', () => {
  for (const shares of [
    bucket(1, 0, 0, 0),
    bucket(1_799_000, 0, 1_000, 0),
    bucket(1, 1, 1, 1),
    bucket(0, 0, 1, 9_999),
  ]) {
    const layers = stackBucket(shares);
    expect(layers.reduce((sum, { height }) => sum + height, 0)).toBeCloseTo(30);
    expect(layers.at(-1)?.y).toBeCloseTo(0);
  }
});

it('shows a blind second in half an hour', () => {
  const blind = stackBucket(bucket(1_799_000, 0, 1_000, 0)).find(({ share }) => share === 'blind');
  expect(blind?.height).toBeGreaterThanOrEqual(5);
});

it('is empty where nothing is known', () => {
  expect(stackBucket(bucket(0, 0, 0, 0))).toEqual([]);
});
