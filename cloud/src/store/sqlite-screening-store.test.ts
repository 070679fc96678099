import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScreeningReport, ScreeningResult, ThermometerReading } from '@ngatu/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PRIVACY_POLICY } from '../privacy/privacy-policy.ts';
import { runRetentionOnce } from '../privacy/retention-run.ts';
import { SqliteEventStore } from './sqlite-event-store.ts';

const NAME = { site: 'q1', node: 'gw-1', gate: 'hall' } as const;
const OUTBOX = '6f1c2f5e-6a57-4b61-9b40-3e0d6f9d2a44';
const BEGIN_MS = Date.UTC(2026, 0, 5, 8);
const HOUR_MS = 3_600_000;
const at = (ms: number): string => new Date(BEGIN_MS + ms).toISOString();
const idOf = (number: number): string => `sc-${number.toString(16).padStart(16, '0')}`;

function aResult(number: number, change: Partial<ScreeningResult> = {}): ScreeningResult {
  return {
    ...{ schemaVersion: 1, screeningId: idOf(number), gate: 'hall', at: at(number * 1_000), outcome: 'pass' },
    ...{ instruction: { vi: 'x', en: 'x' }, frames: 6, skinC: 35.2 },
    ...change,
  };
}

function aReading(number: number, celsius: number): ThermometerReading {
  return { schemaVersion: 1, screeningId: idOf(number), at: at(0), celsius, place: 'oral' };
}

describe('screening at the centre', () => {
  let folder: string;
  let store: SqliteEventStore;
  let seq = 0;
  let number = 0;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ngatu-screening-'));
  });
  beforeEach(() => {
    store?.[Symbol.dispose]();
    store = SqliteEventStore.open(join(folder, `events-${number++}.sqlite`));
    seq = 0;
  });
  afterAll(() => {
    store[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  function commit(change: Partial<ScreeningReport>, ms = 0, repeats = 1): void {
    const body: ScreeningReport = { schemaVersion: 1, ...NAME, results: [], selfChecks: [], ...change };
    const { site, node } = body;
    seq += 1;
    for (let i = 0; i < repeats; i++) {
      const item = { site, node, outboxId: OUTBOX, seq, message: { channel: 'screening', body } } as const;
      expect(store.commit([item], at(ms))).toMatchObject([{ outcome: i === 0 ? 'committed' : 'duplicate' }]);
    }
  }
  const list = () => store.screening.listPassages(NAME, 50);
  const gate = () => store.screening.listGates({ from: at(-HOUR_MS), to: at(HOUR_MS) })[0];
  const enter = (passage: number, celsius: number, ms = 60_000) =>
    store.screening.enterReading(NAME, aReading(passage, celsius), { enteredBy: 'lan', at: at(ms) });

  function aWindow(fromMs: number, passed: number): Partial<ScreeningReport> {
    const none = { hits: 0, total: 0 };
    const counts: NonNullable<ScreeningReport['window']>['counts'] = {
      schemaVersion: 1,
      gate: 'hall',
      ...{ from: at(fromMs), to: at(fromMs + 60_000), passed, measured: 1 },
      ...{
        refused: { moving: 2 },
        learningFrozen: false,
        confirmed: { sensitivity: none, specificity: none },
      },
    } as const;
    return { window: { counts, time: [{ service: 'serving', ms: 60_000 }] } };
  }

  it('counts once what comes twice, under the same number and under another', () => {
    commit({ results: [aResult(1), aResult(2)], ...aWindow(0, 5) }, 0, 3);
    commit({ results: [aResult(2)], ...aWindow(0, 5) });
    commit(aWindow(60_000, 4));
    expect(list().map(({ result }) => result.screeningId)).toEqual([idOf(2), idOf(1)]);
    expect(gate()).toMatchObject({
      counts: { passed: 9, measured: 2, refused: { moving: 4 } },
      time: [{ service: 'serving', ms: 120_000 }],
    });
  });

  it('keeps the four counts exact through entries and corrections', () => {
    commit({ results: [aResult(1, { outcome: 'measure' }), aResult(2), aResult(3, { outcome: 'refused' })] });
    expect(enter(1, 38.4)).toMatchObject({ outcome: 'entered' });
    expect(enter(2, 38.1)).toMatchObject({ outcome: 'entered' });
    expect(gate()?.confirmed).toMatchObject({
      sensitivity: { hits: 1, total: 2 },
      specificity: { total: 0 },
    });
    expect(enter(2, 36.9)).toMatchObject({ outcome: 'corrected', passage: { reading: { celsius: 36.9 } } });
    expect(gate()?.confirmed).toMatchObject({
      sensitivity: { hits: 1, total: 1 },
      specificity: { hits: 1, total: 1 },
    });
    expect(enter(3, 37)).toEqual({ outcome: 'no-decision' });
    expect(enter(9, 37)).toEqual({ outcome: 'unknown' });
    expect(enter(1, 37, HOUR_MS + 2_000)).toEqual({ outcome: 'closed' });
  });

  it('does not let a backlog replace what the gate shows now', () => {
    const status = {
      since: at(0),
      state: 'idle',
      cue: { text: { vi: 'x', en: 'x' }, colour: 'blue' },
      site: { phase: 'learning', readings: 0, wanted: 50 },
    } as const;
    commit({ status: { ...status, at: at(5_000) } });
    commit({ status: { ...status, at: at(1_000), state: 'measuring' } });
    expect(store.screening.getGate(NAME)?.status?.state).toBe('idle');
    expect(store.screening.listGates({ from: at(0), to: at(1) }, ['q2'])).toEqual([]);
  });

  it('deletes passages by the policy, and keeps the counts', async () => {
    commit({ results: [aResult(1, { outcome: 'measure' })], ...aWindow(0, 5) });
    enter(1, 38.4);
    const evidence = { remove: async () => false };
    const run = (ms: number) =>
      runRetentionOnce(
        { events: store, evidence, clock: { nowMs: () => BEGIN_MS + ms } },
        DEFAULT_PRIVACY_POLICY,
      );
    expect((await run(24 * HOUR_MS)).passages).toBe(0);
    expect((await run(24 * HOUR_MS + 1)).passages).toBe(1);
    expect(list()).toEqual([]);
    expect(gate()).toMatchObject({
      counts: { passed: 5 },
      confirmed: { sensitivity: { hits: 1, total: 1 } },
    });
    await run(731 * 24 * HOUR_MS);
    expect(gate()).toMatchObject({
      counts: { passed: 0 },
      confirmed: { sensitivity: { hits: 1, total: 1 } },
    });
  });

  it('keeps of a refused report only why', () => {
    const letter = { code: 'MESSAGE_INVALID', reason: 'x', receivedAt: at(0) } as const;
    const payload = Buffer.from('{"skinC":36}');
    store.appendDeadLetters([{ ...letter, topic: 'ngatu/v1/q1/gw-1/screening', payload }]);
    store.appendDeadLetters([{ ...letter, topic: 'ngatu/v1/q1/gw-1/event', payload }]);
    expect(store.listDeadLetters(2).map((one) => one.payload.length)).toEqual([payload.length, 0]);
  });
});
