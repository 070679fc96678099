import { describe, expect, it } from 'vitest';
import type { Box, Point } from '../geometry/box.ts';
import { aFrameMark, anObservation, aTrack } from '../testing/builder.ts';
import { ManoeuvreMemory } from './manoeuvre-memory.ts';
import type { RuleContext, RuleMatch } from './rule.ts';
import { TrackHistory } from './track-history.ts';

interface User {
  readonly trackId: number;
  /** The lower middle of its box. */
  readonly at: (atMs: number) => Point | undefined;
  /** Its box from there, px: left, up, right, down. */
  readonly shape?: Box;
}

const WHOLE: Box = [-20, -80, 20, 0];
const UPPER_HALF: Box = [-18, -79, 18, -44];

const MATCH: Omit<RuleMatch, 'trackId'> = {
  rule: 'rule',
  kind: 'SOLID_LINE',
  label: 'motorbike',
  observation: anObservation(),
  alternatives: [],
  measures: {},
  explanation: { vi: 'vì', en: 'why' },
};

/** Every road user would fire in every frame from its so manieth sight on; gives who did, and when. */
function run(
  users: readonly User[],
  { cooldownMs = 60_000, untilMs = 6000, fromSight = 1 } = {},
): [number, number][] {
  const memory = new ManoeuvreMemory(cooldownMs);
  const history = new TrackHistory();
  const told: [number, number][] = [];
  for (let index = 0; index * 80 <= untilMs; index++) {
    const frame = aFrameMark({ index, mediaTimeMs: index * 80 });
    const tracks = users.flatMap(({ trackId, at, shape = WHOLE }) => {
      const place = at(frame.mediaTimeMs);
      if (place === undefined) return [];
      const [x, y] = place;
      const [left, upper, right, lower] = shape;
      return [aTrack({ trackId, box: [x + left, y + upper, x + right, y + lower] })];
    });
    history.add(frame, tracks);
    const context: RuleContext = {
      frame,
      tracks,
      history,
      pictureWidth: 640,
      pictureHeight: 480,
      signalAt: () => undefined,
    };
    memory.follow(context);
    for (const track of tracks) {
      const isReady = history.of(track.trackId).length >= fromSight;
      const matches = memory.tell(track, context, () =>
        isReady ? { ...MATCH, trackId: track.trackId } : undefined,
      );
      for (const { trackId } of matches) told.push([trackId, frame.mediaTimeMs]);
    }
  }
  return told;
}

const riding =
  (fromMs: number, untilMs: number, x = 100) =>
  (atMs: number): Point | undefined =>
    atMs >= fromMs && atMs <= untilMs ? [x + atMs / 10, 300] : undefined;

describe('ManoeuvreMemory', () => {
  it('takes two numbers that live side by side in one place for one road user, but not two who ride abreast', () => {
    // the detector splits one road user: the second number begins while the first one is still followed
    const halves = run([
      { trackId: 1, at: riding(0, 2000) },
      { trackId: 2, at: riding(1200, 5000, 108) },
    ]);
    expect(halves.map(([trackId]) => trackId)).toEqual([1]);
    const abreast = run([
      { trackId: 1, at: riding(0, 5000) },
      { trackId: 2, at: riding(1200, 5000, 150) },
    ]);
    expect(abreast.map(([trackId]) => trackId)).toEqual([1, 2]);
  });

  it('takes what lies in a box all the while for a part of it, and what is only covered by it now and then for another one', () => {
    const whole = { trackId: 1, at: riding(0, 5000) };
    const ready = { fromSight: 10 };
    const part = run([whole, { trackId: 2, at: riding(1200, 5000), shape: UPPER_HALF }], ready);
    expect(part.map(([trackId]) => trackId)).toEqual([1]);
    // who stands still behind it comes out from behind it after four pictures
    const behind = {
      trackId: 2,
      at: (atMs: number): Point | undefined => (atMs < 1200 ? undefined : [232, 262]),
    };
    const covered = run([whole, { ...behind, shape: [-12, -30, 12, 0] }], ready);
    expect(covered.map(([trackId]) => trackId)).toEqual([1, 2]);
  });

  it('knows it again where only its upper half is seen after a pause, but not who is half as high elsewhere', () => {
    const first = { trackId: 1, at: riding(0, 1500) };
    expect(run([first, { trackId: 2, at: riding(2000, 4000), shape: UPPER_HALF }])).toEqual([[1, 0]]);
    const higher: Box = [-18, -140, 18, -105];
    expect(run([first, { trackId: 2, at: riding(2000, 4000), shape: higher }])).toHaveLength(2);
    const tiny: Box = [-8, -79, 8, -60];
    expect(run([first, { trackId: 2, at: riding(2000, 4000), shape: tiny }])).toHaveLength(2);
  });

  it('tells a road user once, and again after the cool-down', () => {
    expect(run([{ trackId: 1, at: riding(0, 6000) }])).toEqual([[1, 0]]);
    expect(run([{ trackId: 1, at: riding(0, 6000) }], { cooldownMs: 2000, untilMs: 5900 })).toEqual([
      [1, 0],
      [1, 2000],
      [1, 4000],
    ]);
  });

  it('knows it again under another number, also more than once', () => {
    const users = [
      { trackId: 1, at: riding(0, 1500) },
      { trackId: 2, at: riding(2000, 3000) },
      { trackId: 3, at: riding(4500, 6000) },
    ];
    expect(run(users)).toEqual([[1, 0]]);
  });

  it('takes nobody else for it: elsewhere, at the same time, too late, of another size', () => {
    const first = { trackId: 1, at: riding(0, 1500) };
    expect(run([first, { trackId: 2, at: riding(2000, 3000, 280) }])).toHaveLength(2);
    expect(run([first, { trackId: 2, at: riding(1000, 3000, 160) }])).toHaveLength(2);
    expect(run([first, { trackId: 2, at: riding(4700, 6000) }])).toHaveLength(2);
  });

  it('takes a case whose cool-down is over for none', () => {
    const users = [
      { trackId: 1, at: riding(0, 1500) },
      { trackId: 2, at: riding(3000, 6000) },
    ];
    expect(run(users, { cooldownMs: 2500, untilMs: 5000 })).toEqual([
      [1, 0],
      [2, 3040],
    ]);
  });
});
