import type { CameraInterval } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { CameraLedger, WARM_UP_MS } from './camera-ledger.ts';

const T0 = Date.parse('2026-03-01T08:00:00.000Z');
const NONE = { decoded: 0, analysed: 0, dropped: 0 };
const HORIZON_MS = 4000;

function describeIntervals(intervals: readonly CameraInterval[]): string[] {
  return intervals.map(
    ({ from, to, state, reason }) =>
      `${Date.parse(from) - T0}–${Date.parse(to) - T0} ${state}${reason === undefined ? '' : ` ${reason}`}`,
  );
}

function watch(ledger: CameraLedger, fromMs: number, toMs: number, stepMs = 100): void {
  for (let at = fromMs; at <= toMs; at += stepMs) ledger.addFrame(T0 + at);
}

describe('CameraLedger', () => {
  it('covers every millisecond from the first configuration on, without overlap', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    ledger.startStream(T0 + 1500);
    watch(ledger, 1600, 20_000);
    ledger.endStream('camera-stalled');
    const intervals = ledger.cut(T0 + 25_000, NONE);
    expect(describeIntervals(intervals)).toEqual([
      `0–${1500 + WARM_UP_MS} blind warming-up`,
      `${1500 + WARM_UP_MS}–16000 analysed`,
      '16000–25000 blind camera-stalled',
    ]);
  });

  it('counts time as analysed only when every rule has decided about it', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    ledger.startStream(T0);
    watch(ledger, 100, 10_000);
    expect(ledger.coveredMs).toBe(T0 + 10_000 - HORIZON_MS);
    expect(describeIntervals(ledger.cut(T0 + 10_000, NONE)).at(-1)).toBe('3000–6000 analysed');
  });

  it('is blind from where the process before had decided until the rules are warm again', () => {
    const ledger = new CameraLedger({ nowMs: T0 + 9000, reportedMs: T0 + 5000, horizonMs: HORIZON_MS });
    ledger.startStream(T0 + 10_000);
    watch(ledger, 10_100, 20_000);
    expect(describeIntervals(ledger.cut(T0 + 20_000, NONE))).toEqual([
      '5000–10000 blind agent-restarted',
      '10000–13000 blind warming-up',
      '13000–16000 analysed',
    ]);
  });

  it('tells what the process before had decided and not reported, also where it was killed', () => {
    const before = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    before.startStream(T0);
    watch(before, 100, 7500);
    expect(before.hasTurned).toBe(true);
    before.cut(T0 + 7500, NONE);
    watch(before, 7600, 12_000);
    expect(before.hasTurned).toBe(false);
    const start = { nowMs: T0 + 14_000, tail: before.tail, reportedMs: T0 + 3500, horizonMs: HORIZON_MS };
    expect(describeIntervals(new CameraLedger(start).cut(T0 + 14_000, NONE))).toEqual([
      '3500–8000 analysed',
      '8000–14000 blind agent-restarted',
    ]);
  });

  it('goes on telling where the clock ran an hour ahead and was put right', () => {
    const hour = 3_600_000;
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    ledger.startStream(T0);
    watch(ledger, 100, 10_000);
    ledger.endStream('clock-moved');
    ledger.startStream(T0 + hour + 11_000);
    watch(ledger, hour + 11_100, hour + 16_000);
    expect(describeIntervals(ledger.cut(T0 + hour + 16_000, NONE)).slice(-2)).toEqual([
      '6000–3611000 blind clock-moved',
      '3611000–3612000 blind warming-up',
    ]);
    ledger.endStream('clock-moved');
    ledger.startStream(T0 + 15_000);
    watch(ledger, 15_100, 25_000);
    expect(describeIntervals(ledger.cut(T0 + 25_000, NONE))).toEqual([
      '6000–15000 blind clock-moved',
      '15000–18000 blind warming-up',
      '18000–21000 analysed',
    ]);
  });

  it('keeps what it had seen and not told where the clock was set an hour back and put right', () => {
    const hour = 3_600_000;
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    ledger.startStream(T0);
    watch(ledger, 100, 10_000);
    ledger.endStream('clock-moved');
    ledger.startStream(T0 + 11_000 - hour);
    watch(ledger, 11_100 - hour, 15_000 - hour);
    ledger.endStream('clock-moved');
    ledger.startStream(T0 + 16_000);
    expect(describeIntervals(ledger.cut(T0 + 16_000, NONE))).toEqual([
      '0–3000 blind warming-up',
      '3000–6000 analysed',
      `${11_000 - hour}–16000 blind clock-moved`,
    ]);
  });

  it('tells nothing twice where the kill came between report and heartbeat, and leaves nothing out after it', () => {
    const tail = { fromMs: T0 + 3000, toMs: T0 + 8000, state: 'analysed' } as const;
    const tell = (reportedMs: number) =>
      describeIntervals(
        new CameraLedger({ nowMs: T0 + 9500, tail, reportedMs, horizonMs: 0 }).cut(T0 + 9500, NONE),
      );
    expect(tell(T0 + 8100)).toEqual(['8100–9500 blind agent-restarted']);
    expect(tell(T0 + 2000)).toEqual([
      '2000–3000 blind agent-restarted',
      '3000–8000 analysed',
      '8000–9500 blind agent-restarted',
    ]);
  });

  it('refuses events of the warm-up and of frames that were sent from before it', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    expect(ledger.isWatched(T0)).toBe(false);
    ledger.startStream(T0 + 1000);
    expect(ledger.isWatched(T0 + 500)).toBe(false);
    expect(ledger.isWatched(T0 + 1000 + WARM_UP_MS - 1)).toBe(false);
    expect(ledger.isWatched(T0 + 1000 + WARM_UP_MS)).toBe(true);
    ledger.endStream('camera-unreachable');
    expect(ledger.isWatched(T0 + 1000 + WARM_UP_MS)).toBe(false);
  });

  it('warms up anew where its instants were wrong, and calls what it had thought to see until then blind', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: HORIZON_MS });
    ledger.warmAnew(T0, T0);
    ledger.startStream(T0 + 1000);
    watch(ledger, 1100, 3000);
    ledger.warmAnew(T0 + 3000, T0 + 1500);
    expect(ledger.isWatched(T0 + 1000 + WARM_UP_MS)).toBe(false);
    expect(ledger.isWatched(T0 + 3000 + WARM_UP_MS)).toBe(true);
    watch(ledger, 1600, 12_000);
    expect(describeIntervals(ledger.cut(T0 + 12_000, NONE))).toEqual([
      `0–${3000 + WARM_UP_MS} blind warming-up`,
      `${3000 + WARM_UP_MS}–8000 analysed`,
    ]);
  });

  it('names a hole between frames', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: 0 });
    ledger.startStream(T0);
    watch(ledger, 100, 5000);
    watch(ledger, 9000, 10_000);
    expect(describeIntervals(ledger.cut(T0 + 10_000, NONE))).toEqual([
      '0–3000 blind warming-up',
      '3000–5000 analysed',
      '5000–9000 blind frames-dropped',
      '9000–10000 analysed',
    ]);
  });

  it('is degraded while a lamp that a rule needs cannot be read, and after many drops', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: 0 });
    ledger.startStream(T0);
    watch(ledger, 100, 4000);
    for (let at = 4100; at <= 6000; at += 100) ledger.addFrame(T0 + at, 'signal-unreadable');
    watch(ledger, 6100, 7000);
    expect(
      describeIntervals(ledger.cut(T0 + 7000, { decoded: 70, analysed: 40, dropped: 30 })).slice(1),
    ).toEqual(['3000–4100 analysed', '4100–6100 degraded signal-unreadable', '6100–7000 analysed']);
    watch(ledger, 7100, 8000);
    expect(describeIntervals(ledger.cut(T0 + 8000, NONE))).toEqual(['7000–8000 degraded frames-dropped']);
  });

  it('gives each cut once, with the frames since the last', () => {
    const ledger = new CameraLedger({ nowMs: T0, horizonMs: 0 });
    ledger.startStream(T0);
    watch(ledger, 100, 3000);
    const first = ledger.cut(T0 + 3000, { decoded: 75, analysed: 30, dropped: 1 });
    expect(first.reduce((sum, { framesDecoded }) => sum + framesDecoded, 0)).toBe(75);
    expect(ledger.cut(T0 + 3000, { decoded: 75, analysed: 30, dropped: 1 })).toEqual([]);
    watch(ledger, 3100, 4000);
    const second = ledger.cut(T0 + 4000, { decoded: 100, analysed: 40, dropped: 1 });
    expect(second).toHaveLength(1);
    expect(second[0]).toMatchObject({ framesDecoded: 25, framesAnalysed: 10, framesDropped: 0 });
  });
});
