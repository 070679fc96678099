import { Measurement } from '@ngatu/contract';
import { Value } from '@sinclair/typebox/value';
import { describe, expect, it } from 'vitest';
import { FrameMeasures } from './frame-measures.ts';

const figure = (value: number): Measurement => ({
  at: '2025-07-01T00:00:00.000Z',
  metric: 'flowVehPerHour',
  value,
  tags: { rule: 'traffic', zone: 'road' },
});
const COUNTS = { decoded: 0, analysed: 0, dropped: 0 };
const flows = (all: readonly Measurement[]): number[] =>
  all.filter(({ metric }) => metric === 'flowVehPerHour').map(({ value }) => value);

describe('FrameMeasures', () => {
  it('reports traffic figures once, at their own instant', () => {
    const measures = new FrameMeasures();
    measures.addMeasurements([figure(120)]);
    const first = measures.cut(Date.UTC(2025, 6, 1, 0, 5), COUNTS);
    expect(first).toEqual([figure(120)]);
    expect(measures.cut(Date.UTC(2025, 6, 1, 0, 6), COUNTS).filter(({ tags }) => tags)).toEqual([]);
  });

  it('spreads what does not fit into one report over the next ones, within the limit of the contract', () => {
    const measures = new FrameMeasures();
    measures.addMeasurements(Array.from({ length: 1000 }, (_, i) => figure(i)));
    const reports = [1, 2, 3, 4].map((second) => measures.cut(1000 * second, COUNTS));
    for (const report of reports) expect(report.length).toBeLessThanOrEqual(500);
    expect(reports.flatMap(flows)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    for (const measurement of reports.flat()) expect(Value.Check(Measurement, measurement)).toBe(true);
  });

  it('drops the oldest figures beyond its bound, and says how many', () => {
    const measures = new FrameMeasures();
    measures.addMeasurements(Array.from({ length: 5100 }, (_, i) => figure(i)));
    const report = measures.cut(1000, COUNTS);
    expect(report).toContainEqual({
      at: '1970-01-01T00:00:01.000Z',
      metric: 'trafficFiguresDropped',
      value: 100,
    });
    expect(flows(report)[0]).toBe(100);
    expect(measures.cut(2000, COUNTS).some(({ metric }) => metric === 'trafficFiguresDropped')).toBe(false);
  });
});
