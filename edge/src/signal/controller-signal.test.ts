import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { ControllerSignal } from './controller-signal.ts';

const T0 = Date.UTC(2026, 0, 5, 8, 0, 0);
const CONFIG = { clock: 'controller', maxClockErrorMs: 1_500, validMs: 5_000 } as const;

function payloadOf(message: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

interface Said {
  state: string;
  sentMs: number;
  sinceMs?: number;
  validMs?: number;
  /** How long it was under way, ms. */
  delayMs?: number;
  retained?: boolean;
}

function tell(signal: ControllerSignal, { delayMs = 40, retained = false, ...said }: Said) {
  const { state, sentMs, sinceMs, validMs } = said;
  const message = {
    state,
    sentAt: iso(sentMs),
    ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
    ...(validMs === undefined ? {} : { validMs }),
  };
  return signal.take({ payload: payloadOf(message), retained }, sentMs + delayMs)?.code;
}

describe('a signal controller', () => {
  it('tells each phase from its onset to the next one', () => {
    const signal = new ControllerSignal(CONFIG);
    tell(signal, { state: 'green', sentMs: T0 + 500, sinceMs: T0 });
    tell(signal, { state: 'amber', sentMs: T0 + 4_000, sinceMs: T0 + 3_950 });
    tell(signal, { state: 'red', sentMs: T0 + 7_000 });
    expect(signal.phaseAt(T0 - 1)).toBeUndefined();
    expect(signal.phaseAt(T0 + 3_949)).toMatchObject({ state: 'green', sinceMs: T0, onsetSeen: true });
    expect(signal.phaseAt(T0 + 6_999)).toMatchObject({ state: 'amber', sinceMs: T0 + 3_950 });
    expect(signal.phaseAt(T0 + 7_000)).toMatchObject({ state: 'red', sinceMs: T0 + 7_000, onsetSeen: true });
    expect(signal.errorMs).toBe(50);
  });

  it('is unknown once it has been silent for longer than its last word holds', () => {
    const signal = new ControllerSignal(CONFIG);
    tell(signal, { state: 'red', sentMs: T0, sinceMs: T0 - 9_000, validMs: 2_000 });
    expect(signal.phaseAt(T0 + 1_999)).toMatchObject({ state: 'red', sinceMs: T0 - 9_000 });
    expect(signal.phaseAt(T0 + 2_000)).toBeUndefined();
    // it speaks again: of the time between it says only what it knows
    tell(signal, { state: 'red', sentMs: T0 + 9_000 });
    expect(signal.phaseAt(T0 + 5_000)).toBeUndefined();
    expect(signal.phaseAt(T0 + 9_000)).toMatchObject({ sinceMs: T0 + 9_000, onsetSeen: false });
  });

  it('refuses a clock that is off by an hour, ahead or behind, and keeps what it knew', () => {
    const signal = new ControllerSignal(CONFIG);
    for (const delayMs of [3_600_000, -3_600_000]) {
      expect(tell(signal, { state: 'red', sentMs: T0 - delayMs, delayMs })).toBe('SIGNAL_CLOCK');
    }
    expect(signal.phases).toEqual([]);
    expect(tell(signal, { state: 'green', sentMs: T0 })).toBeUndefined();
    expect(tell(signal, { state: 'red', sentMs: T0 - 3_599_000, delayMs: 3_600_000 })).toBe('SIGNAL_CLOCK');
    expect(signal.phaseAt(T0 + 1_000)?.state).toBe('green');
    expect(signal.counters).toEqual({ taken: 1, refused: { SIGNAL_CLOCK: 3 } });
  });

  it('takes a retained message while it holds, and refuses an old one that is played again', () => {
    const signal = new ControllerSignal(CONFIG);
    const old = { state: 'red', sentMs: T0 - 8_000, delayMs: 8_000, retained: true };
    expect(tell(signal, old)).toBe('SIGNAL_STALE');
    const fresh = { state: 'green', sentMs: T0 - 3_000, sinceMs: T0 - 4_000, delayMs: 3_000, retained: true };
    expect(tell(signal, fresh)).toBeUndefined();
    expect(signal.phaseAt(T0)).toMatchObject({ state: 'green', sinceMs: T0 - 4_000 });
    // the age of a retained message says nothing of the way
    expect(signal.errorMs).toBe(50);
    // the broker lost what came since and gives an older one
    expect(tell(signal, { ...fresh, state: 'red', sentMs: T0 - 3_500, delayMs: 3_600 })).toBe('SIGNAL_STALE');
    expect(tell(signal, { ...fresh, delayMs: 3_100 })).toBe('SIGNAL_STALE');
    expect(signal.phaseAt(T0)?.state).toBe('green');
  });

  it('goes by the arrival where the controller has no clock, and then believes nothing retained', () => {
    const signal = new ControllerSignal({ ...CONFIG, clock: 'node' });
    const payload = payloadOf({ state: 'red' });
    expect(signal.take({ payload, retained: true }, T0)?.code).toBe('SIGNAL_STALE');
    expect(signal.take({ payload: payloadOf({ state: 'green' }), retained: false }, T0)).toBeUndefined();
    expect(signal.take({ payload, retained: false }, T0 + 3_000)).toBeUndefined();
    expect(signal.phaseAt(T0 + 3_000)).toMatchObject({ state: 'red', sinceMs: T0 + 3_000, onsetSeen: true });
    expect(signal.errorMs).toBe(300);
  });

  it('says nothing while it changes faster than any junction does', () => {
    const signal = new ControllerSignal(CONFIG);
    tell(signal, { state: 'green', sentMs: T0 - 20_000, validMs: 60_000 });
    for (let step = 0; step < 12; step++) {
      tell(signal, { state: step % 2 === 0 ? 'red' : 'green', sentMs: T0 + step * 700 });
    }
    const lastMs = T0 + 11 * 700;
    for (let atMs = T0; atMs < lastMs + 14_900; atMs += 100) expect(signal.phaseAt(atMs)).toBeUndefined();
    tell(signal, { state: 'red', sentMs: lastMs + 15_500 });
    expect(signal.phaseAt(lastMs + 16_000)?.state).toBe('red');
  });

  it.each([
    ['MESSAGE_NOT_JSON', 'red'],
    ['MESSAGE_NOT_JSON', new Uint8Array([0x22, 0xff, 0x22])],
    ['MESSAGE_TOO_LARGE', ' '.repeat(5_000)],
    ['MESSAGE_INVALID', '{}'],
    ['MESSAGE_INVALID', 'null'],
    ['MESSAGE_INVALID', '[1]'],
    ['MESSAGE_INVALID', '{"state":"violet","sentAt":"2026-01-05T08:00:00.000Z"}'],
    ['MESSAGE_INVALID', '{"state":"red"}'],
    ['MESSAGE_INVALID', '{"state":"red","sentAt":"2026-13-05T08:00:00.000Z"}'],
    ['MESSAGE_INVALID', `{"state":"red","sentAt":${T0},"validMs":-1}`],
    ['MESSAGE_INVALID', `{"state":"red","sentAt":${T0},"since":${T0 + 1}}`],
  ])('refuses with %s, case %#', (code, payload) => {
    const signal = new ControllerSignal(CONFIG);
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
    expect(signal.take({ payload: bytes, retained: false }, T0)?.code).toBe(code);
    expect(signal.counters).toEqual({ taken: 0, refused: { [code]: 1 } });
    expect(signal.phases).toEqual([]);
  });

  it('reads a foreign message through the mapping of the profile, and guesses no word', () => {
    const signal = new ControllerSignal({
      ...CONFIG,
      fields: { state: '/groups/2/colour', sentAt: '/ts', since: '/groups/2/start~1ms' },
      states: { R: 'red', '3': 'green' },
    });
    const foreign = (colour: unknown, ts: number) => ({
      payload: payloadOf({ ts, groups: [{}, {}, { colour, 'start/ms': ts - 2_000 }] }),
      retained: false,
    });
    expect(signal.take(foreign('R', T0), T0 + 10)).toBeUndefined();
    expect(signal.take(foreign(3, T0 + 2_500), T0 + 2_510)).toBeUndefined();
    expect(signal.phaseAt(T0 + 400)).toMatchObject({ state: 'red', sinceMs: T0 - 2_000 });
    expect(signal.phaseAt(T0 + 1_000)).toMatchObject({ state: 'green', sinceMs: T0 + 500 });
    for (const colour of ['red', 'constructor', 4, null])
      expect(signal.take(foreign(colour, T0 + 3_000), T0 + 3_010)?.code).toBe('MESSAGE_INVALID');
  });

  it('never says red outside of what it was told, whatever comes in whatever order', () => {
    forAll(60, (random) => {
      const signal = new ControllerSignal(CONFIG);
      const reds: [number, number][] = [];
      let nowMs = T0;
      let state: 'red' | 'green' = 'green';
      for (let step = 0; step < 30; step++) {
        const delayMs = random.integer(0, 400);
        const sinceMs = nowMs;
        tell(signal, { state, sentMs: nowMs, sinceMs, delayMs });
        if (random.next() < 0.3) tell(signal, { state, sentMs: nowMs, sinceMs, delayMs: delayMs + 100 });
        if (random.next() < 0.2) signal.take({ payload: payloadOf({ state: 'x' }), retained: false }, nowMs);
        const nextMs = nowMs + random.integer(3_000, 4_900);
        if (state === 'red') reds.push([nowMs, nextMs]);
        nowMs = nextMs;
        state = state === 'red' ? 'green' : 'red';
      }
      const wrong: number[] = [];
      for (let atMs = T0; atMs < nowMs; atMs += 97) {
        const isRed = reds.some(([from, to]) => atMs >= from && atMs < to);
        if (signal.phaseAt(atMs)?.state !== (isRed ? 'red' : 'green')) wrong.push(atMs - T0);
      }
      expect(wrong).toEqual([]);
    });
  });
});
