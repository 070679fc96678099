import { expect, it } from 'vitest';
import { explainFinding, nameOfFinding, type SensorFinding } from './sensor-finding.ts';
import { nameSensor } from './sensor-series.ts';

const finding: SensorFinding = {
  ...{ site: 'demo', node: 'gw-1', sensor: 'mast', metric: 'soundLevel', unit: 'dB[SPL]' },
  ...{ at: '2026-01-01T00:00:00.000Z', value: 83.04, kind: 'anomaly', cause: 'value' },
  ...{ usualLow: 40.2, usualHigh: 55.1 },
};

it('is one plain sentence in both languages, with no more digits than tell something', () => {
  expect(explainFinding(finding, 'en')).toBe('expected 40–55 dB at this hour, saw 83 dB');
  expect(explainFinding(finding, 'vi')).toBe('giờ này thường 40–55 dB, đo được 83 dB');
  expect(explainFinding({ ...finding, kind: 'regimeChange' }, 'en')).toContain('new usual');
});

it('shows a cause that a newer node names as it is', () => {
  expect(explainFinding({ ...finding, cause: 'silence' }, 'en')).toContain('(silence)');
});

it('is about the quantity that is listed under the same name', () => {
  const { kind: _kind, cause: _cause, usualLow: _low, usualHigh: _high, ...reading } = finding;
  expect(nameOfFinding(finding)).toBe(nameSensor(reading));
});
