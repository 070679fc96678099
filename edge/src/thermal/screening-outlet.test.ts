import { NgatuError, type ScreeningReport, type ScreeningResult } from '@ngatu/contract';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { cueOf } from './gate-cue.ts';
import { GateLedger } from './gate-ledger.ts';
import { RoomReadings } from './room-reading.ts';
import { ScreeningOutlet } from './screening-outlet.ts';

const AT = '2026-01-05T08:00:00.000Z';

function aResult(number: number): ScreeningResult {
  return {
    ...{ schemaVersion: 1, screeningId: `sc-${number.toString(16).padStart(16, '0')}`, gate: 'hall' },
    ...{ at: AT, outcome: 'pass', instruction: cueOf('passed').text, frames: 6 },
  };
}
const aStatus = () => ({
  ...({ at: AT, since: AT, state: 'idle', cue: cueOf('idle') } as const),
  site: { phase: 'learning', readings: 0, wanted: 50 } as const,
});

class Rig {
  readonly told: ScreeningReport[] = [];
  readonly lost: number[] = [];
  failure: NgatuError | undefined;
  readonly outlet = new ScreeningOutlet({
    ...{ site: 's', node: 'n', gate: 'hall' },
    append: (report) => {
      if (this.failure !== undefined) throw this.failure;
      this.told.push(structuredClone(report));
    },
    logger: pino({ level: 'warn' }, { write: (line: string) => void this.lost.push(JSON.parse(line).count) }),
  });

  get results(): number {
    return this.told.reduce((sum, { results }) => sum + results.length, 0);
  }
}

describe('what a gate hands to the outbox', () => {
  it('is bounded in a flood: single passages of a minute, and what is shown once a second', () => {
    const rig = new Rig();
    for (let ms = 0; ms < 60_000; ms += 10) {
      rig.outlet.addResult(aResult(ms), ms);
      rig.outlet.setStatus(aStatus());
      rig.outlet.flush(ms);
    }
    expect(rig.results).toBe(60);
    expect(rig.told.length).toBeLessThanOrEqual(60 + 60);
    expect(rig.lost.reduce((sum, count) => sum + count, 0)).toBe(6_000 - 60);
    rig.outlet.addResult(aResult(1), 60_000);
    rig.outlet.flush(60_000);
    expect(rig.results).toBe(61);
  });

  it('waits for a full disk, bounded, and says what it gave up', () => {
    const rig = new Rig();
    rig.failure = new NgatuError('DISK_FULL', 'full');
    for (let minute = 0; minute < 10; minute++)
      for (let i = 0; i < 50; i++) {
        rig.outlet.addResult(aResult(minute * 50 + i), minute * 60_000);
        rig.outlet.flush(minute * 60_000);
      }
    rig.failure = undefined;
    rig.outlet.flush(600_000);
    expect(rig.results).toBe(200);
    expect(rig.told.every(({ results }) => results.length <= 50)).toBe(true);
    expect(rig.told.at(-1)?.results.at(-1)).toEqual(aResult(499));
    expect(rig.lost.filter(Boolean).reduce((sum, count) => sum + count, 0)).toBe(300);
  });

  it('does not hide a fault of the code', () => {
    const rig = new Rig();
    rig.failure = new NgatuError('MESSAGE_INVALID', 'ours');
    rig.outlet.addResult(aResult(1), 0);
    expect(() => rig.outlet.flush(0)).toThrow('ours');
  });
});

describe('the time of a gate', () => {
  it('is all there, by service and reason', () => {
    const ledger = new GateLedger('blind', 'no-picture', 0);
    ledger.enter('standing-aside', 'warming-up', 1_000);
    ledger.enter('serving', 'moving', 3_000);
    ledger.enter('serving', undefined, 3_500);
    expect(ledger.take(6_000)).toEqual([
      { service: 'blind', reason: 'no-picture', ms: 1_000 },
      { service: 'standing-aside', reason: 'warming-up', ms: 2_000 },
      { service: 'serving', ms: 3_000 },
    ]);
    expect(ledger.take(6_400)).toEqual([{ service: 'serving', ms: 400 }]);
  });
});

describe('the room of a gate', () => {
  it('is as old as the older of the two, and nothing that is bad', () => {
    const rooms = new RoomReadings();
    const tags = { sensor: 'hall' };
    const note = (metric: string, value: number, second: number, quality: 'good' | 'bad' = 'good') =>
      rooms.note([{ at: new Date(second * 1_000).toISOString(), metric, value, tags, quality }]);
    note('airTemperature', 22, 10);
    expect(rooms.of('hall')).toBeUndefined();
    note('airHumidity', 45, 4);
    note('airTemperature', 85, 20, 'bad');
    expect(rooms.of('hall')).toEqual({ celsius: 22, relativeHumidity: 0.45, atMs: 4_000 });
    expect(rooms.of('yard')).toBeUndefined();
  });
});
