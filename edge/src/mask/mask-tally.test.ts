import { findSchemaIssues, Telemetry } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { describeWindow, MaskTally } from './mask-tally.ts';

const MINUTE = 60_000;
const START = Date.UTC(2025, 6, 1);

function watch(tally: MaskTally, fromMs: number, toMs: number): void {
  for (let atMs = fromMs; atMs <= toMs; atMs += 250) tally.addFrame(atMs);
}

describe('windows of counts', () => {
  it('hand out each window once, with its share and how much of it was watched', () => {
    const tally = new MaskTally(MINUTE);
    watch(tally, START, START + MINUTE / 2);
    for (const verdict of ['with', 'with', 'with', 'without', 'uncertain'] as const)
      tally.addPerson({
        verdict,
        atMs: START + 20_000,
        ...(verdict === 'uncertain' ? { doubt: 'too-small' } : {}),
      });
    expect(tally.cut(START + MINUTE - 1)).toEqual([]);
    const [window, ...rest] = tally.cut(START + MINUTE);
    expect(rest).toEqual([]);
    expect(window).toMatchObject({
      ...{ fromMs: START, toMs: START + MINUTE, watchedShare: 0.5, doubts: { 'too-small': 1 } },
      counts: { with: 3, without: 1, uncertain: 1 },
      share: { value: 0.75 },
    });
    expect(tally.cut(START + 2 * MINUTE)).toEqual([]);
  });

  it('tell an empty street from a blind camera', () => {
    const tally = new MaskTally(MINUTE);
    watch(tally, START, START + MINUTE);
    tally.addFrame(START + 2 * MINUTE + 30_000);
    const windows = tally.finish(START + 2 * MINUTE + 30_000);
    expect(windows.map(({ watchedShare }) => Math.round(watchedShare * 100))).toEqual([100, 0, 3]);
    expect(windows.every(({ share }) => share === undefined)).toBe(true);
  });

  it('count a person who comes late in the window that is open', () => {
    const tally = new MaskTally(MINUTE);
    tally.addFrame(START + MINUTE + 1);
    tally.addPerson({ verdict: 'with', atMs: START + MINUTE - 1 });
    expect(tally.finish(START + 2 * MINUTE).map(({ fromMs, counts }) => [fromMs, counts.with])).toEqual([
      [START + MINUTE, 1],
    ]);
  });

  it('make telemetry that the contract takes', () => {
    const tally = new MaskTally(MINUTE);
    tally.addPerson({ verdict: 'without', atMs: START });
    const measurements = tally.finish(START + 1000).flatMap(describeWindow);
    const body = { schemaVersion: 1, site: 's', node: 'n', camera: 'c', intervals: [], measurements };
    expect(findSchemaIssues(Telemetry, body)).toEqual([]);
    const values = Object.fromEntries(measurements.map(({ metric, value }) => [metric, value]));
    expect(values).toMatchObject({
      maskWith: 0,
      maskWithout: 1,
      maskUncertain: 0,
      maskShare: 0,
      maskShareLow: 0,
    });
    expect(values['maskShareHigh']).toBeCloseTo(0.7935, 4);
  });
});
