import { expect, it } from 'vitest';
import { planFaults } from './fault-campaign-plan.ts';
import { FAULT_KINDS } from './fault-kind.ts';

const names = (count: number, seed: number) => planFaults(count, seed).map(({ kind }) => kind.name);

it('plans every kind of fault in its first round, in an order and at distances that the seed repeats', () => {
  expect(planFaults(100, 42)).toEqual(planFaults(100, 42));
  expect(names(100, 42)).not.toEqual(names(100, 43));
  for (const seed of [1, 2, 3])
    expect(new Set(names(FAULT_KINDS.length, seed))).toEqual(new Set(FAULT_KINDS.map(({ name }) => name)));
  expect(new Set(FAULT_KINDS.map(({ name }) => name)).size).toBe(FAULT_KINDS.length);
});

it('plans as many as it was asked for, kinds by their weight, and what takes a minute seldom', () => {
  const plan = names(500, 7);
  const count = (name: string) => plan.filter((planned) => planned === name).length;
  expect(plan).toHaveLength(500);
  expect(count('broker-killed')).toBeGreaterThan(1.5 * count('agent-killed'));
  expect(count('agent-killed')).toBeGreaterThanOrEqual(5);
  expect(count('camera-away')).toBeGreaterThanOrEqual(1);
  expect(count('camera-away')).toBeLessThanOrEqual(3);
});

it('keeps to the kinds that it was given', () => {
  const kinds = FAULT_KINDS.filter(({ name }) => name === 'api-killed');
  expect(planFaults(5, 1, kinds).map(({ kind }) => kind.name)).toEqual(Array(5).fill('api-killed'));
  expect(planFaults(5, 1, [])).toEqual([]);
});
