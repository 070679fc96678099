import { expect, it } from 'vitest';
import { planKills } from './fault-campaign-plan.ts';

it('kills every part as often, in an order and at distances that the seed repeats', () => {
  const plan = planKills(20, 42);
  expect(plan).toEqual(planKills(20, 42));
  expect(plan).not.toEqual(planKills(20, 43));
  for (const victim of ['edge', 'broker', 'ingestor']) {
    expect(plan.filter((kill) => kill.victim === victim)).toHaveLength(20);
  }
});

it('leaves time to recover before most kills, and none before some', () => {
  const waits = Array.from({ length: 20 }, (_, seed) => planKills(20, seed)).flatMap((plan) =>
    plan.map(({ waitMs }) => waitMs),
  );
  const hurried = waits.filter((waitMs) => waitMs < 3_000).length / waits.length;
  expect(hurried).toBeGreaterThan(0.2);
  expect(hurried).toBeLessThan(0.3);
  expect(Math.max(...waits)).toBeLessThanOrEqual(17_000);
  for (const plan of [planKills(1, 1), planKills(20, 9)])
    expect(plan[0]?.waitMs).toBeGreaterThanOrEqual(5_000);
});
