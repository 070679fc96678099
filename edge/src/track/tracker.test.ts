import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { aRoadUser } from '../testing/builder.ts';
import { computeScriptedBox, type ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { forAll, SeededRandom } from '../testing/seeded-random.ts';
import type { RoadUser, Track } from './track.ts';
import { DEFAULT_TRACKER_OPTIONS, Tracker } from './tracker.ts';

const { maxLostMs } = DEFAULT_TRACKER_OPTIONS;

/** What is found of the scripted road users at a moment; undefined findings are misses. */
type Finding = (user: ScriptedRoadUser, atMs: number, box: Box) => RoadUser | undefined;

interface Followed {
  readonly atMs: number;
  readonly tracks: readonly Track[];
}

const findAll: Finding = ({ label }, _, box) => aRoadUser({ label, box });

function follow(
  users: readonly ScriptedRoadUser[],
  { fps = 12.5, untilMs, find = findAll }: { fps?: number; untilMs: number; find?: Finding },
): Followed[] {
  const tracker = new Tracker();
  const frames: Followed[] = [];
  for (let i = 0; (i * 1000) / fps <= untilMs; i++) {
    const atMs = (i * 1000) / fps;
    const found = users.flatMap((user) => {
      const box = computeScriptedBox(user, atMs);
      const finding = box === undefined ? undefined : find(user, atMs, box);
      return finding === undefined ? [] : [finding];
    });
    frames.push({ atMs, tracks: tracker.update(found, atMs) });
  }
  return frames;
}

/** Ids that ever lay best on a road user while it was seen. */
function findIdsOf(user: ScriptedRoadUser, frames: readonly Followed[]): Set<number> {
  const ids = new Set<number>();
  for (const { atMs, tracks } of frames) {
    const truth = computeScriptedBox(user, atMs);
    if (truth === undefined) continue;
    const own = tracks.find(
      ({ box, seen }) => seen && Math.abs(box[0] - truth[0]) + Math.abs(box[3] - truth[3]) < 1e-6,
    );
    if (own !== undefined) ids.add(own.trackId);
  }
  return ids;
}

const rideUp: ScriptedRoadUser = {
  trackId: 1,
  label: 'motorbike',
  path: [
    { atMs: 0, rear: [300, 460] },
    { atMs: 4000, rear: [280, 100] },
  ],
};

describe('Tracker', () => {
  it('confirms a road user after three sights and follows it with one id', () => {
    const frames = follow([rideUp], { untilMs: 4000 });
    expect(frames.slice(0, 4).map(({ tracks }) => tracks[0]?.state)).toEqual([
      'tentative',
      'tentative',
      'confirmed',
      'confirmed',
    ]);
    expect(findIdsOf(rideUp, frames)).toEqual(new Set([1]));
    expect(frames.at(-1)?.tracks[0]).toMatchObject({ firstSeenMs: 0, lastSeenMs: 4000, seen: true });
  });

  it('keeps the id through an occlusion of one second', () => {
    const hidden = (atMs: number): boolean => atMs > 1500 && atMs < 2500;
    const frames = follow([rideUp], {
      untilMs: 4000,
      find: (user, atMs, box) => (hidden(atMs) ? undefined : findAll(user, atMs, box)),
    });
    expect(findIdsOf(rideUp, frames)).toEqual(new Set([1]));
    const during = frames.find(({ atMs }) => atMs > 2400)?.tracks[0];
    expect(during).toMatchObject({ state: 'lost', seen: false, groundSeen: false });
    const truth = computeScriptedBox(rideUp, 2480) as Box;
    expect(Math.abs((during?.box[3] ?? 0) - truth[3])).toBeLessThan(0.3 * (truth[3] - truth[1]));
    expect(frames.find(({ atMs }) => atMs >= 2500)?.tracks[0]?.state).toBe('confirmed');
  });

  it('does not swap the ids of two who cross each other', () => {
    const right: ScriptedRoadUser = {
      trackId: 1,
      label: 'motorbike',
      path: [
        { atMs: 0, rear: [100, 300] },
        { atMs: 4000, rear: [500, 310] },
      ],
    };
    const left: ScriptedRoadUser = {
      trackId: 2,
      label: 'motorbike',
      path: [
        { atMs: 0, rear: [500, 306] },
        { atMs: 4000, rear: [100, 302] },
      ],
    };
    for (const fps of [6, 12.5, 25]) {
      const frames = follow([right, left], { fps, untilMs: 4000 });
      expect(findIdsOf(right, frames), `${fps} fps`).toEqual(new Set([1]));
      expect(findIdsOf(left, frames), `${fps} fps`).toEqual(new Set([2]));
    }
  });

  it('follows who is several lengths further in the next frame', () => {
    // 104 km/h across the view: 1.5 m are 80 px, eight frames a second
    const fast: ScriptedRoadUser = {
      trackId: 1,
      label: 'motorbike',
      path: [
        { atMs: 0, rear: [100, 300] },
        { atMs: 2000, rear: [3200, 320] },
      ],
    };
    const behind: ScriptedRoadUser = {
      ...fast,
      trackId: 2,
      path: fast.path.map((at) => ({ ...at, atMs: at.atMs + 2500 })),
    };
    const frames = follow([fast, behind], { fps: 8, untilMs: 4500 });
    expect(findIdsOf(fast, frames)).toEqual(new Set([1]));
    expect(findIdsOf(behind, frames)).toEqual(new Set([2]));
    expect(frames[2]?.tracks[0]?.state).toBe('confirmed');
  });

  it('lets nobody leap where it is not clear who is who, and no person at all', () => {
    const at = (x: number, label: RoadUser['label'] = 'motorbike'): RoadUser =>
      aRoadUser({ label, box: [x, 200, x + 60, 280] });
    const tracker = new Tracker();
    tracker.update([at(0)], 0);
    // two that may be it; the third sight fits one of both
    expect(
      tracker
        .update([at(200), at(-200)], 125)
        .filter(({ seen }) => seen)
        .map(({ trackId }) => trackId),
    ).toEqual([2, 3]);
    const walking = new Tracker();
    walking.update([at(0, 'person')], 0);
    expect(walking.update([at(200, 'person')], 125).filter(({ seen }) => seen)).toMatchObject([
      { trackId: 2 },
    ]);
    const other = new Tracker();
    other.update([at(0)], 0);
    expect(other.update([at(200, 'car')], 125).filter(({ seen }) => seen)).toMatchObject([{ trackId: 2 }]);
    const tooFar = new Tracker();
    tooFar.update([at(0)], 0);
    expect(tooFar.update([at(300)], 125).filter(({ seen }) => seen)).toMatchObject([{ trackId: 2 }]);
  });

  it('confirms no leap that leads nowhere', () => {
    const at = (x: number): RoadUser => aRoadUser({ label: 'car', box: [x, 200, x + 120, 280] });
    const tracker = new Tracker();
    // somebody is seen once, another appears further on and stands
    for (const [atMs, x] of [
      [0, 0],
      [125, 220],
      [250, 220],
      [375, 220],
      [500, 220],
    ] as const) {
      tracker.update([at(x)], atMs);
    }
    const tracks = tracker.update([at(220)], 625).filter(({ state }) => state === 'confirmed');
    expect(tracks).toHaveLength(1);
    expect(tracks[0]?.firstSeenMs).toBeGreaterThanOrEqual(125);
    expect(tracks[0]?.box).toEqual([220, 200, 340, 280]);
  });

  it('keeps a track with doubtful findings and starts none with them', () => {
    const doubtful: Finding = ({ label }, atMs, box) =>
      aRoadUser({ label, box, confidence: atMs < 1000 ? 0.8 : 0.15 });
    const kept = follow([rideUp], { untilMs: 4000, find: doubtful });
    expect(findIdsOf(rideUp, kept)).toEqual(new Set([1]));
    expect(kept.at(-1)?.tracks).toMatchObject([
      { trackId: 1, state: 'confirmed', seen: true, confidence: 0.15 },
    ]);
    const started = follow([rideUp], {
      untilMs: 4000,
      find: ({ label }, _, box) => aRoadUser({ label, box, confidence: 0.34 }),
    });
    expect(started.flatMap(({ tracks }) => tracks)).toEqual([]);
  });

  it('begins a track only with findings as confident as its options ask', () => {
    const tracker = new Tracker({ newTrackConfidence: 0.6 });
    expect(tracker.update([aRoadUser({ confidence: 0.55 })], 0)).toEqual([]);
    expect(tracker.update([aRoadUser({ confidence: 0.6 })], 80)).toHaveLength(1);
    expect(tracker.update([aRoadUser({ confidence: 0.55 })], 160)).toMatchObject([
      { trackId: 1, confidence: 0.55 },
    ]);
  });

  it('predicts over the time that passed, not over frames: pictures may be missing', () => {
    const tracker = new Tracker();
    const at = (atMs: number): Track[] => {
      const box = computeScriptedBox(rideUp, atMs) as Box;
      return tracker.update([aRoadUser({ box })], atMs);
    };
    for (let atMs = 0; atMs <= 1600; atMs += 80) at(atMs);
    // 90 px further, more than the height of the box
    expect(at(2600)).toMatchObject([{ trackId: 1, seen: true }]);
  });

  it('lets a confident finding have the track before a doubtful one', () => {
    const tracker = new Tracker();
    const box: Box = [300, 200, 340, 300];
    for (let i = 0; i < 5; i++) tracker.update([aRoadUser({ box })], i * 80);
    const sure = aRoadUser({ box: [306, 206, 346, 306], confidence: 0.7 });
    const doubtful = aRoadUser({ box, confidence: 0.2 });
    expect(tracker.update([doubtful, sure], 400)).toMatchObject([{ trackId: 1, confidence: 0.7 }]);
  });

  it('calls a rider whose bike is found now and then a motorbike, and fills in where it stands', () => {
    const whole: Box = [300, 200, 340, 300];
    const rider: Box = [304, 200, 336, 270];
    const tracker = new Tracker();
    let last: Track | undefined;
    for (let i = 0; i < 12; i++) {
      const user =
        i % 3 === 1
          ? aRoadUser({ label: 'motorbike', box: whole, occupants: [{ box: rider, confidence: 0.8 }] })
          : aRoadUser({ label: 'person', box: rider });
      last = tracker.update([user], i * 80)[0];
    }
    expect(last).toMatchObject({ trackId: 1, label: 'motorbike', groundSeen: false, seen: true });
    expect(last?.occupants).toEqual([{ box: rider, confidence: 0.8 }]);
    expect(last?.box[3]).toBeCloseTo(300, 0);
  });

  /** The last track of a motorbike that rides away, of 100 px height with its rider at first and 20 in the end, at six pictures a second. */
  function rideAway(find: (box: Box, picture: number) => Parameters<typeof aRoadUser>[0]) {
    const tracker = new Tracker();
    let tracks: readonly Track[] = [];
    let height = 100;
    for (let i = 0; height > 20; i++) {
      const box: Box = [300, 400 - i - height, 300 + 0.4 * height, 400 - i];
      tracks = tracker.update([aRoadUser({ label: 'motorbike', ...find(box, i) })], (i * 1000) / 6);
      height *= 0.93;
    }
    return { tracks, height: height / 0.93 };
  }

  it('lets a motorbike that rides away grow small, also where its rider is seen once and no more', () => {
    const ride = rideAway(([x1, y1, x2, y2], picture) => {
      const vehicle: Box = [x1, y1 + 0.4 * (y2 - y1), x2, y2];
      const rider: Box = [x1, y1, x2, y1 + 0.7 * (y2 - y1)];
      return picture < 4
        ? { box: [x1, y1, x2, y2], vehicleBox: vehicle, occupants: [{ box: rider, confidence: 0.8 }] }
        : { box: vehicle, vehicleBox: vehicle };
    });
    expect(ride.tracks).toHaveLength(1);
    const [, top, , bottom] = ride.tracks[0]?.box ?? [0, 0, 0, 0];
    // the rider is added as large as the ride is now
    expect((bottom - top) / ride.height).toBeGreaterThan(0.9);
    expect((bottom - top) / ride.height).toBeLessThan(1.15);
  });

  it('takes a box that holds its riders as it is, after a sudden loss of height too', () => {
    const ride = rideAway((box, picture) => {
      const [x1, y1, x2, y2] = box;
      const rider: Box = [x1, y1, x2, y1 + 0.7 * (y2 - y1)];
      const low: Box = [x1, y1 + 0.2 * (y2 - y1), x2, y2];
      return {
        box: picture % 5 === 2 ? low : box,
        vehicleBox: picture % 5 === 2 ? low : box,
        holdsRiders: true,
        occupants: picture < 4 ? [{ box: rider, confidence: 0.8 }] : [],
      };
    });
    expect(ride.tracks).toMatchObject([{ trackId: 1, seen: true }]);
    const [, top, , bottom] = ride.tracks[0]?.box ?? [0, 0, 0, 0];
    expect((bottom - top) / ride.height).toBeLessThan(1.01);
  });

  it('keeps a person a person whom one stray finding called a bike', () => {
    const tracker = new Tracker();
    let last: Track | undefined;
    for (let i = 0; i < 12; i++) {
      last = tracker.update(
        [aRoadUser({ label: i === 5 ? 'bicycle' : 'person', box: [300, 200, 330, 290] })],
        i * 80,
      )[0];
    }
    expect(last).toMatchObject({ trackId: 1, label: 'person', groundSeen: true });
  });

  it('follows a car and the motorbike before it as two', () => {
    const tracker = new Tracker();
    const box: Box = [300, 200, 360, 300];
    let tracks: Track[] = [];
    for (let i = 0; i < 4; i++) {
      tracks = tracker.update(
        [aRoadUser({ label: 'car', box }), aRoadUser({ label: 'motorbike', box })],
        i * 80,
      );
    }
    expect(tracks.map(({ trackId, label }) => [trackId, label])).toEqual([
      [1, 'car'],
      [2, 'motorbike'],
    ]);
    expect(tracker.update([aRoadUser({ label: 'motorbike', box })], 400)).toMatchObject([
      { trackId: 1, seen: false, state: 'lost' },
      { trackId: 2, seen: true },
    ]);
  });

  it('removes a track that was not seen for maxLostMs, a tentative one after a quarter', () => {
    const box: Box = [300, 200, 340, 300];
    const confirmed = new Tracker();
    for (const atMs of [0, 80, 160]) confirmed.update([aRoadUser({ box })], atMs);
    expect(confirmed.update([], 160 + maxLostMs)).toMatchObject([{ state: 'lost' }]);
    expect(confirmed.update([], 161 + maxLostMs)).toEqual([]);
    const tentative = new Tracker();
    tentative.update([aRoadUser({ box })], 0);
    expect(tentative.update([], maxLostMs / 4)).toMatchObject([{ state: 'tentative' }]);
    expect(tentative.update([], maxLostMs / 4 + 1)).toEqual([]);
  });

  it('never uses an id again', () => {
    const tracker = new Tracker();
    const box: Box = [300, 200, 340, 300];
    const ids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const [track] = tracker.update([aRoadUser({ box })], i * (maxLostMs + 1000));
      tracker.update([], i * (maxLostMs + 1000) + maxLostMs + 500);
      ids.push(track?.trackId ?? 0);
    }
    expect(ids).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('follows the same road users with the same ids at 6 and 25 frames a second', () => {
    const lanes: ScriptedRoadUser[] = [120, 240, 360, 480].map((x, i) => ({
      trackId: i + 1,
      label: i % 2 === 0 ? 'motorbike' : 'car',
      path: [
        { atMs: 500 * i, rear: [x, 460] },
        { atMs: 500 * i + 3000, rear: [x - 30, 460 - 90 * (i + 1)] },
      ],
    }));
    const ids = [6, 25].map((fps) => {
      const frames = follow(lanes, { fps, untilMs: 5000 });
      return lanes.map((lane) => [...findIdsOf(lane, frames)]);
    });
    expect(ids[0]).toEqual([[1], [2], [3], [4]]);
    expect(ids[1]).toEqual(ids[0]);
  });

  it('holds one id a road user in noisy, flickering findings', () => {
    const random = new SeededRandom(11);
    const noisy: Finding = ({ label }, _, box) => {
      if (random.next() < 0.15) return undefined;
      const shaken = box.map((value) => value + 2 * random.gaussian()) as unknown as Box;
      return aRoadUser({ label, box: shaken, confidence: random.between(0.2, 0.9) });
    };
    const frames = follow([rideUp], { untilMs: 4000, find: noisy });
    const confirmed = frames.flatMap(({ tracks }) => tracks.filter(({ state }) => state === 'confirmed'));
    expect(new Set(confirmed.map(({ trackId }) => trackId)).size).toBe(1);
    expect(confirmed.length).toBeGreaterThan(35);
  });

  it('has unique ids in rising order and finite boxes on any input', () => {
    forAll(30, (random) => {
      const tracker = new Tracker();
      let highest = 0;
      let alive = new Set<number>();
      let nowMs = 0;
      for (let i = 0; i < 25; i++) {
        const users = Array.from({ length: random.integer(0, 8) }, () => {
          const [x, y] = [random.between(0, 600), random.between(0, 400)];
          const label = (['person', 'motorbike', 'car'] as const)[random.integer(0, 2)] ?? 'car';
          const box: Box = [x, y, x + random.between(1, 80), y + random.between(1, 120)];
          return aRoadUser({ label, box, confidence: random.next(), groundHidden: random.next() < 0.2 });
        });
        nowMs += random.between(0, 400);
        const tracks = tracker.update(users, nowMs);
        const ids = tracks.map(({ trackId }) => trackId);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
        // an id that was not alive in the frame before is a new one
        for (const id of ids.filter((value) => !alive.has(value))) expect(id).toBeGreaterThan(highest);
        highest = Math.max(highest, ...ids);
        alive = new Set(ids);
        for (const { box } of tracks) expect(box.every(Number.isFinite)).toBe(true);
        expect(tracks.filter(({ seen }) => seen).length).toBeLessThanOrEqual(users.length);
      }
    });
  });
});
