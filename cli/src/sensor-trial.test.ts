import {
  GENERATED_METRICS,
  generateSeries,
  injectFaults,
  type SensorFaultKind,
  withoutFaults,
} from '@ngatu/simulators';
import { describe, expect, it } from 'vitest';
import { formatSensorTrial, scoreSeries } from './sensor-trial.ts';
import { formatColumns } from './text-columns.ts';

const series = GENERATED_METRICS.map((metric) =>
  generateSeries({ metric, seed: 11, intervalMs: 60_000, days: 20 }),
);
/** What cannot be overlooked by any quantity; the rest is a figure. */
const ALWAYS_FOUND: readonly SensorFaultKind[] = ['gap', 'no-value', 'exception', 'clock', 'half-open'];

describe('the checks of the node on simulated series', () => {
  const scores = series.map((each) => scoreSeries(injectFaults(each, { seed: 11, perKind: 3 })));
  const rateOf = (kind: SensorFaultKind): number => {
    const all = scores.flatMap(({ faults }) => faults.filter((fault) => fault.kind === kind));
    const sum = (key: 'found' | 'injected') => all.reduce((total, each) => total + each[key], 0);
    return sum('found') / sum('injected');
  };

  it('find every silence, refusal, NaN and wrong clock, and most spikes', () => {
    for (const kind of ALWAYS_FOUND) expect(rateOf(kind), kind).toBe(1);
    expect(rateOf('spike')).toBeGreaterThan(0.6);
  });

  it('refuse hardly any sound reading', () => {
    const clean = series.map((each) => scoreSeries(withoutFaults(each)));
    const days = clean.reduce((sum, score) => sum + score.days, 0);
    expect(clean.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0) / days).toBeLessThan(0.1);
    expect(scores.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0) / days).toBeLessThan(0.1);
  });

  it('are told as a table', () => {
    const table = formatSensorTrial(scores);
    expect(table).toMatch(/^airTemperature {2,}20\.0 /m);
    expect(table).toMatch(/^all {2,}200\.0 /m);
    expect(table).toMatch(/^gap {2,}1\.000 \[0\.8\d–1\.00\] \(30\/30\) {2,}[\d.]+ min$/m);
    expect(table).toContain('false alarms in 200.0 days of sensors');
    expect(
      formatColumns([
        ['a', 'bb'],
        ['ccc', 'd'],
      ]),
    ).toBe('a    bb\nccc   d');
  });
});
