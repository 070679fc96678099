import type { SignalState } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import { forAll } from '../testing/seeded-random.ts';
import { SignalTimeline } from './signal-timeline.ts';

const FRAME_MS = 80;

/** One reading a frame from time 0 on; a letter for each: r a g, `-` for off, `?` for unknown. */
function readAll(letters: string, timeline = new SignalTimeline(), fromMs = 0): SignalTimeline {
  const states: Record<string, SignalState> = {
    r: 'red',
    a: 'amber',
    g: 'green',
    '-': 'off',
    '?': 'unknown',
  };
  [...letters].forEach((letter, i) => {
    const state = states[letter] ?? 'unknown';
    timeline.add({ state, confidence: state === 'unknown' ? 0 : 0.9 }, fromMs + i * FRAME_MS);
  });
  return timeline;
}

const stateAt = (timeline: SignalTimeline, frame: number): SignalState | undefined =>
  timeline.phaseAt(frame * FRAME_MS)?.state;

describe('SignalTimeline', () => {
  it('knows nothing before the first reading', () => {
    expect(new SignalTimeline().phaseAt(1000)).toBeUndefined();
    const timeline = readAll('rr', new SignalTimeline(), 500);
    expect(timeline.phaseAt(499)).toBeUndefined();
    expect(timeline.phaseAt(500)?.state).toBe('red');
  });

  it('begins a phase at its first reading, although it is believed with the second', () => {
    const timeline = readAll('rrrrgggg');
    expect(stateAt(timeline, 3)).toBe('red');
    expect(timeline.phaseAt(10 * FRAME_MS)).toMatchObject({ state: 'green', sinceMs: 4 * FRAME_MS });
    const undecided = readAll('rrrrg');
    expect(stateAt(undecided, 4)).toBe('red');
  });

  it('remembers the earlier phases', () => {
    const timeline = readAll('gggggaaaarrrrr');
    expect([0, 4, 5, 8, 9, 13].map((frame) => stateAt(timeline, frame))).toEqual([
      'green',
      'green',
      'amber',
      'amber',
      'red',
      'red',
    ]);
  });

  it('has not seen the onset of the first phase, but of every later one', () => {
    const timeline = readAll('rrrrggggrrrr');
    const onsets = [0, 5, 10].map((frame) => {
      const phase = timeline.phaseAt(frame * FRAME_MS);
      return phase === undefined ? undefined : timeline.isOnsetSeen(phase);
    });
    expect(onsets).toEqual([false, true, true]);
  });

  it('takes a single stray reading for nothing', () => {
    const timeline = readAll('rrrrgrrrr?rrr-rrrrarrrr');
    for (let frame = 0; frame < 23; frame++) {
      expect(timeline.phaseAt(frame * FRAME_MS)).toMatchObject({ state: 'red', sinceMs: 0 });
    }
  });

  it('is not put out by a lamp that flickers against the shutter', () => {
    const timeline = readAll('rrrr-r--r-rr---r-rr-r');
    expect(timeline.phaseAt(20 * FRAME_MS)).toMatchObject({ state: 'red', sinceMs: 0 });
  });

  it('believes a new lit state that flickers from its onset', () => {
    const timeline = readAll('rrrrrr-g-g-g-g-g-g-g-g');
    expect(timeline.phaseAt(21 * FRAME_MS)).toMatchObject({ state: 'green', sinceMs: 7 * FRAME_MS });
  });

  it('says off when no lens was lit for half a second, from its first dark reading', () => {
    const dark = readAll('rrrr-------');
    expect(dark.phaseAt(10 * FRAME_MS)).toMatchObject({ state: 'off', sinceMs: 4 * FRAME_MS });
    const notYet = readAll('rrrr-----');
    expect(notYet.phaseAt(8 * FRAME_MS)?.state).toBe('red');
  });

  it('does not go on saying red for a lamp that nobody has seen lit for seconds', () => {
    for (const unlit of ['?', '-', '-?', '?--', '--?']) {
      const timeline = readAll(`rrrr${unlit.repeat(30)}`);
      expect(['off', 'unknown'], unlit).toContain(stateAt(timeline, 33));
    }
  });

  it('sees the onset of red again after the lamp was hidden', () => {
    const timeline = readAll('gggg????????rrrr');
    const phase = timeline.phaseAt(15 * FRAME_MS);
    expect(phase).toMatchObject({ state: 'red', sinceMs: 12 * FRAME_MS });
  });

  it('follows the confidence of the running phase', () => {
    const timeline = readAll('rr');
    for (let i = 2; i < 40; i++) timeline.add({ state: 'red', confidence: 0.5 }, i * FRAME_MS);
    expect(timeline.phaseAt(40 * FRAME_MS)?.confidence).toBeCloseTo(0.5, 1);
  });

  it('forgets what is older than two minutes and still answers for what is newer', () => {
    const timeline = new SignalTimeline();
    for (let i = 0; i * 1000 <= 600_000; i++) {
      timeline.add({ state: Math.floor(i / 30) % 2 === 0 ? 'red' : 'green', confidence: 0.9 }, i * 1000);
    }
    expect(timeline.phaseAt(100_000)).toBeUndefined();
    expect(timeline.phaseAt(600_000 - 110_000)?.state).toBe('red');
    expect(timeline.phaseAt(600_000 - 80_000)?.state).toBe('green');
  });

  it('gives each moment the phase that was shown, whatever the lengths of the phases and the frame rate', () => {
    forAll(100, (random) => {
      const timeline = new SignalTimeline();
      const states = ['green', 'amber', 'red'] as const;
      const onsets: number[] = [0];
      for (let i = 0; i < 6; i++) onsets.push((onsets.at(-1) ?? 0) + random.between(1500, 9000));
      const frameMs = 1000 / random.between(5, 25);
      const truth = (atMs: number) => states[onsets.findLastIndex((onset) => onset <= atMs) % 3];
      for (let atMs = 0; atMs < (onsets.at(-1) ?? 0); atMs += frameMs) {
        timeline.add({ state: truth(atMs) ?? 'unknown', confidence: 0.9 }, atMs);
      }
      for (let i = 0; i < 20; i++) {
        const atMs = random.between(0, (onsets.at(-2) ?? 0) - 1);
        const nearChange = onsets.some((onset) => atMs >= onset && atMs - onset <= frameMs);
        if (!nearChange) expect(timeline.phaseAt(atMs)?.state).toBe(truth(atMs));
      }
    });
  });
});
