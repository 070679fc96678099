import { type FeverSimulationMetrics, formatFeverSimulation, simulateFever } from '@ngatu/models';
import { beforeAll, describe, expect, it } from 'vitest';

describe('the gate on simulated scenes', () => {
  let metrics: FeverSimulationMetrics;

  beforeAll(async () => {
    const options = { scenes: 20, seed: 9_001, sensors: ['small'] as const };
    metrics = await simulateFever(options, new AbortController().signal);
  }, 120_000);

  it('reads at least 95 % of those who keep to the protocol', () => {
    expect(metrics.accepted.value, formatFeverSimulation(metrics)).toBeGreaterThanOrEqual(0.95);
  });

  it('reads nobody who does not', () => {
    expect(metrics.refusedOutside.total).toBeGreaterThan(20);
    expect(metrics.refusedOutside.value, formatFeverSimulation(metrics)).toBe(1);
  });

  it('is within 0.3 °C of the truth in 95 % of its readings, and within its own stated uncertainty', () => {
    expect(metrics.error95C).toBeLessThanOrEqual(0.3);
    expect(metrics.within.value).toBeGreaterThanOrEqual(0.95);
    expect(metrics.covered.value).toBeGreaterThanOrEqual(0.95);
  });
});
