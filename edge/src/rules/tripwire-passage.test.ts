import { describe, expect, it } from 'vitest';
import { DirectedLine } from '../geometry/polyline.ts';
import { aScene } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { CENTRE, computeGroundOutline, listWheels } from './ground-outline.ts';
import {
  computeLineSight,
  findTripwire,
  type LineSight,
  measurePassage,
  type Passage,
  PassageWatch,
} from './tripwire-passage.ts';

/** A body of 20 px about `middle` with an error of 3 px. */
function at(atMs: number, middle: number, overrun = 0): LineSight {
  const [low, high] = [middle - 10, middle + 10];
  const parts = [low, high].map((distance) => ({ distance, overrun }));
  return { atMs, low, high, lowSure: low - 3, highSure: high + 3, parts };
}

function watch(sights: readonly LineSight[]): Passage[] {
  const passing = new PassageWatch();
  return sights.flatMap((sight) => passing.take(sight) ?? []);
}

const times = (fps: number, untilMs: number): number[] =>
  Array.from({ length: Math.floor((untilMs * fps) / 1000) + 1 }, (_, i) => (i * 1000) / fps);

describe('PassageWatch', () => {
  it('tells a passage with its instants between the sights, at any frame rate', () => {
    for (const fps of [6, 12.5, 25]) {
      // 50 px/s from −50: the last part is on the line at 1200 ms, beyond by its error at 1260 ms
      const [passage, ...others] = watch(times(fps, 3000).map((atMs) => at(atMs, -50 + atMs / 20)));
      expect(others).toEqual([]);
      expect(passage?.crossedAtMs).toBeCloseTo(1200, 6);
      expect(passage?.sureAtMs).toBeCloseTo(1260, 6);
      expect(passage).toMatchObject({ direction: 'forward', seenAstride: true, overrunPx: 0 });
      expect(passage?.marginPx).toBeGreaterThan(3);
      expect(passage?.errorPx).toBeCloseTo(3, 9);
    }
  });

  it('tells the way back as such', () => {
    const there = (atMs: number): number => (atMs < 3000 ? -50 + atMs / 20 : 100 - (atMs - 3000) / 20);
    const passages = watch(times(12.5, 6000).map((atMs) => at(atMs, there(atMs))));
    expect(passages.map(({ direction }) => direction)).toEqual(['forward', 'backward']);
    expect(passages[1]?.crossedAtMs).toBeCloseTo(5200, 6);
    expect(passages[1]?.marginPx).toBeGreaterThan(3);
  });

  it('tells nothing of who turns back before all of it is surely beyond', () => {
    for (const furthest of [-5, 0, 8, 12.9]) {
      const sights = times(12.5, 6000).map((atMs) => at(atMs, furthest - Math.abs(atMs - 3000) / 20));
      expect(watch(sights), `${furthest} px`).toEqual([]);
    }
    const beyond = times(12.5, 6000).map((atMs) => at(atMs, 25 - Math.abs(atMs - 3000) / 20));
    expect(watch(beyond)).toHaveLength(2);
  });

  it('tells nothing of whose middle was never surely before, nor of one single sight beyond', () => {
    // at 12.5 pictures a second the middle is within its error after 160 ms
    expect(watch(times(12.5, 3000).map((atMs) => at(atMs, -5 + atMs / 20)))).toEqual([]);
    // two wheels are on the line from the first sight on
    expect(watch(times(12.5, 3000).map((atMs) => at(atMs, -12 + atMs / 20)))).toMatchObject([
      { direction: 'forward', seenAstride: true },
    ]);
    const single = times(12.5, 3000).map((atMs) => at(atMs, atMs === 1600 ? 40 : -40));
    expect(watch(single)).toEqual([]);
  });

  it('tells nothing across a pause that is too long', () => {
    const sights = times(12.5, 3000).map((atMs) => at(atMs, -50 + atMs / 20));
    expect(watch(sights.filter(({ atMs }) => atMs < 900 || atMs > 2300))).toHaveLength(1);
    expect(watch(sights.filter(({ atMs }) => atMs < 800 || atMs > 2320))).toEqual([]);
  });

  it('keeps the first touch of who stays on the line for long', () => {
    const slow = (atMs: number): number => -50 + Math.min(atMs, 1000) / 20 + Math.max(0, atMs - 61_000) / 20;
    const sights = times(25, 64_000).map((atMs) => at(atMs, slow(atMs), atMs < 900 ? 7 : 0));
    const [passage] = watch(sights);
    expect(passage?.crossedAtMs).toBeCloseTo(61_200, 0);
    expect(passage?.overrunPx).toBeGreaterThan(4);
  });

  it('forgets what it was told to forget', () => {
    const passing = new PassageWatch();
    const passages = times(12.5, 3000).flatMap((atMs) => {
      if (Math.abs(atMs - 1200) < 1) passing.forget();
      return passing.take(at(atMs, -50 + atMs / 20)) ?? [];
    });
    expect(passages).toEqual([]);
  });

  it('tells forward and backward in turn, whatever comes', () => {
    forAll(40, (random) => {
      let middle = -40;
      const sights = times(12.5, 20_000).map((atMs) => {
        middle += 8 * random.gaussian();
        return at(atMs, middle);
      });
      const passages = watch(sights);
      passages.forEach(({ direction, sureAtMs, crossedAtMs, marginPx, errorPx }, i) => {
        expect(direction).not.toBe(passages[i - 1]?.direction);
        expect(crossedAtMs).toBeLessThanOrEqual(sureAtMs);
        expect(marginPx).toBeGreaterThan(errorPx);
      });
    });
  });
});

describe('computeLineSight', () => {
  const line = new DirectedLine(
    [
      [320, 400],
      [320, 100],
    ],
    [500, 250],
  );
  const outline = computeGroundOutline('car', [300, 200, 340, 254], { depressionDeg: 25, heading: [0, -1] });

  it('measures all wheels for a crossing, the middle for a turn', () => {
    if (outline === undefined) throw new Error('no outline');
    const input = { atMs: 5, sideErrorPx: 2, depthErrorPx: 2 };
    const body = computeLineSight(line, outline, { ...input, parts: listWheels('car') });
    expect(body).toMatchObject({ atMs: 5 });
    expect(body.parts.map(({ overrun }) => overrun)).toEqual([0, 0, 0, 0]);
    expect([body.low, body.high]).toEqual([expect.closeTo(-20, 6), expect.closeTo(20, 6)]);
    expect(body.lowSure).toBeLessThan(-21.9);
    const centre = computeLineSight(line, outline, { ...input, parts: CENTRE });
    expect([centre.low, centre.high]).toEqual([expect.closeTo(0, 6), expect.closeTo(0, 6)]);
    expect(centre.highSure).toBeCloseTo(2, 6);
  });

  it('names a line that the scene has not', () => {
    expect(() => findTripwire(aScene(), 'nowhere')).toThrow('Scene "crossroads" has no tripwire "nowhere"');
    expect(findTripwire(aScene(), 'stop-line').locate([320, 200]).distance).toBe(100);
  });

  it('writes the figures of an event', () => {
    const passage: Passage = {
      direction: 'forward',
      crossedAtMs: 10.4,
      sureAtMs: 20.6,
      marginPx: 5.55,
      errorPx: 2.04,
      overrunPx: 0,
      seenAstride: true,
    };
    expect(measurePassage(passage)).toEqual({
      crossedAtMediaMs: 10,
      surelyAtMediaMs: 21,
      marginPx: 5.6,
      errorPx: 2,
    });
  });
});
