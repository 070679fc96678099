import { findSchemaIssues, ScreeningAggregate, type ScreeningResult } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { ScreeningTally } from './screening-tally.ts';

const BEGIN_MS = Date.UTC(2026, 0, 5, 8);
const idOf = (n: number): string => `sc-${n.toString(16).padStart(16, '0')}`;

function result(n: number, outcome: ScreeningResult['outcome'], atMs = BEGIN_MS): ScreeningResult {
  return {
    schemaVersion: 1,
    screeningId: idOf(n),
    gate: 'gate-1',
    at: new Date(atMs).toISOString(),
    outcome,
    instruction: { vi: '', en: '' },
    frames: 6,
    ...(outcome === 'refused' ? { refusal: 'moving' as const } : {}),
  };
}

const reading = (n: number, celsius: number, atMs = BEGIN_MS + 60_000) => ({
  schemaVersion: 1 as const,
  screeningId: idOf(n),
  at: new Date(atMs).toISOString(),
  celsius,
  place: 'oral' as const,
});

describe('the counts of a gate', () => {
  it('give sensitivity and specificity of what staff confirmed, with their intervals', () => {
    const tally = new ScreeningTally(BEGIN_MS);
    for (let n = 0; n < 20; n++) tally.add(result(n, n < 8 ? 'measure' : 'pass'));
    tally.add(result(99, 'refused'));
    for (let n = 0; n < 6; n++) tally.confirm(reading(n, 38.1));
    for (let n = 6; n < 8; n++) tally.confirm(reading(n, 36.8));
    tally.confirm(reading(8, 37.5));
    for (let n = 9; n < 12; n++) tally.confirm(reading(n, 37.4));
    const aggregate = tally.takeAggregate('gate-1', BEGIN_MS + 3_600_000, false);
    expect(findSchemaIssues(ScreeningAggregate, aggregate)).toEqual([]);
    expect(aggregate).toMatchObject({ passed: 12, measured: 8, refused: { moving: 1 } });
    expect(aggregate.confirmed.sensitivity).toMatchObject({ hits: 6, total: 7 });
    expect(aggregate.confirmed.specificity).toMatchObject({ hits: 3, total: 5 });
    // Wilson for 6 of 7 (Newcombe's method 3)
    expect(aggregate.confirmed.sensitivity.low).toBeCloseTo(0.487, 2);
    expect(aggregate.confirmed.sensitivity.high).toBeCloseTo(0.974, 2);
    expect(tally.takeAggregate('gate-1', BEGIN_MS + 7_200_000, false)).toMatchObject({
      passed: 0,
      from: '2026-01-05T09:00:00.000Z',
      confirmed: { sensitivity: { total: 7 } },
    });
  });

  it('take one reading for each passage, within the hour', () => {
    const tally = new ScreeningTally(BEGIN_MS);
    tally.add(result(1, 'measure'));
    tally.add(result(2, 'pass'));
    tally.add(result(3, 'refused'));
    tally.confirm(reading(1, 38));
    const refusals = [reading(1, 38), reading(3, 38), reading(77, 38), reading(2, 38, BEGIN_MS + 3_700_000)];
    for (const late of refusals)
      expect(() => tally.confirm(late)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });
});
