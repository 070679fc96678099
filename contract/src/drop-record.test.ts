import { describe, expect, it } from 'vitest';
import { buildDropMeasurements, DROPPED_METRIC, readDropRanges } from './drop-record.ts';
import { findSchemaIssues } from './schema.ts';
import { Telemetry } from './telemetry.ts';

const AT = '2025-07-01T00:00:00.000Z';

const telemetryOf = (measurements: Telemetry['measurements']): Telemetry => ({
  schemaVersion: 1,
  site: 'hanoi',
  node: 'gate-1',
  intervals: [],
  measurements,
});

describe('drop record', () => {
  it('reads back what was written, in telemetry that the contract accepts', () => {
    const ranges = [
      { from: 3, to: 3, manner: 'dropped' as const },
      { from: 7, to: 12, manner: 'thinned' as const },
    ];
    const telemetry = telemetryOf(buildDropMeasurements(ranges, AT));
    expect(findSchemaIssues(Telemetry, telemetry)).toEqual([]);
    expect(telemetry.measurements.map(({ value }) => value)).toEqual([1, 6]);
    expect(readDropRanges(telemetry, 13)).toEqual(ranges);
  });

  it('explains no number that is not older than the message itself', () => {
    const telemetry = telemetryOf(buildDropMeasurements([{ from: 3, to: 5, manner: 'gone' }], AT));
    expect(readDropRanges(telemetry, 6)).toHaveLength(1);
    expect(readDropRanges(telemetry, 5)).toEqual([]);
  });

  it('ignores other measurements and stretches that make no sense', () => {
    const odd = (fromSeq: string, toSeq: string) => ({
      at: AT,
      metric: DROPPED_METRIC,
      value: 1,
      tags: { fromSeq, toSeq },
    });
    const telemetry = telemetryOf([
      { at: AT, metric: 'analysedFps', value: 5, tags: { fromSeq: '1', toSeq: '2' } },
      { at: AT, metric: DROPPED_METRIC, value: 1 },
      odd('0', '2'),
      odd('5', '4'),
      odd('x', '4'),
      odd('1.5', '4'),
      odd('1', '1e400'),
    ]);
    expect(readDropRanges(telemetry, 100)).toEqual([]);
  });
});
