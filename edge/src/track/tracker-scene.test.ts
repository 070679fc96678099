import { describe, expect, it } from 'vitest';
import { type Box, computeIou } from '../geometry/box.ts';
import { aDetection } from '../testing/builder.ts';
import { computeScriptedBox, type ScriptedRoadUser } from '../testing/scripted-road-user.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { fuseRiders } from './rider-fusion.ts';
import { Tracker } from './tracker.ts';

/** What hides others: nearer to the camera than all of them. */
interface Scenario {
  readonly users: readonly ScriptedRoadUser[];
  readonly screen?: ScriptedRoadUser;
  readonly untilMs: number;
  /** Standard deviation of each border of a box, px. */
  readonly jitterPx?: number;
  readonly missShare?: number;
}

const RATES = [6, 12.5, 25] as const;

/**
 * Runs detections as a camera would give them: what the screen covers by more than half is not found. Returns the ids under
 * which each road user was seen and confirmed, by its trackId.
 */
function findIds(
  { users, screen, untilMs, jitterPx = 0, missShare = 0 }: Scenario,
  fps: number,
): Map<number, number[]> {
  const tracker = new Tracker();
  const random = new SeededRandom(3);
  const ids = new Map<number, Set<number>>(users.map(({ trackId }) => [trackId, new Set()]));
  for (let i = 0; (i * 1000) / fps <= untilMs; i++) {
    const atMs = (i * 1000) / fps;
    const screenBox = screen === undefined ? undefined : computeScriptedBox(screen, atMs);
    const boxes = users.flatMap((user) => {
      const box = computeScriptedBox(user, atMs);
      return box === undefined || computeCover(box, screenBox) > 0.5 ? [] : [{ user, box }];
    });
    const detections = boxes
      .filter(() => random.next() >= missShare)
      .map(({ user, box }) => aDetection({ label: user.label, box: shake(box, random, jitterPx) }));
    if (screen !== undefined && screenBox !== undefined)
      detections.push(aDetection({ label: screen.label, box: screenBox }));
    const tracks = tracker.update(fuseRiders(detections), atMs);
    for (const { user, box } of boxes) {
      const own = tracks
        .filter(({ seen, state }) => seen && state === 'confirmed')
        .map((track) => ({ id: track.trackId, iou: computeIou(track.box, box) }))
        .sort((a, b) => b.iou - a.iou)[0];
      if (own !== undefined && own.iou >= 0.5) ids.get(user.trackId)?.add(own.id);
    }
  }
  return new Map([...ids].map(([id, found]) => [id, [...found]]));
}

function shake(box: Box, random: SeededRandom, px: number): Box {
  return box.map((value) => value + px * random.gaussian()) as unknown as Box;
}

/** Share of a box that the screen covers. */
function computeCover(box: Box, screen: Box | undefined): number {
  if (screen === undefined) return 0;
  const width = Math.min(box[2], screen[2]) - Math.max(box[0], screen[0]);
  const height = Math.min(box[3], screen[3]) - Math.max(box[1], screen[1]);
  return width <= 0 || height <= 0 ? 0 : (width * height) / ((box[2] - box[0]) * (box[3] - box[1]));
}

function aRide(
  trackId: number,
  from: readonly [number, number],
  to: readonly [number, number],
  parts: Partial<ScriptedRoadUser> & { fromMs?: number; untilMs: number },
): ScriptedRoadUser {
  const { fromMs = 0, untilMs, ...rest } = parts;
  return {
    trackId,
    label: 'motorbike',
    path: [
      { atMs: fromMs, rear: from },
      { atMs: untilMs, rear: to },
    ],
    ...rest,
  };
}

const expectOneIdEach = (scenario: Scenario, fps: number): void => {
  const ids = findIds(scenario, fps);
  for (const [user, found] of ids) expect(found, `road user ${user} at ${fps} fps`).toHaveLength(1);
  const all = [...ids.values()].flat();
  expect(new Set(all).size, `ids shared at ${fps} fps`).toBe(all.length);
};

describe('a road user has one id from entering to leaving', () => {
  it.each(RATES)('across the whole picture, with jitter and misses, at %s fps', (fps) => {
    const users = [
      aRide(1, [-20, 300], [660, 320], { untilMs: 6000 }),
      aRide(2, [200, 480], [260, 60], { untilMs: 6000, label: 'car' }),
      aRide(3, [620, 420], [20, 440], { untilMs: 6000, label: 'person', heading: [0, 1] }),
    ];
    expectOneIdEach({ users, untilMs: 6000, jitterPx: 1.5, missShare: 0.1 }, fps);
  });

  describe.each([6, 25])('behind a bus, at %s fps', (fps) => {
    it('that stands, for about one and a half seconds', () => {
      const bus = aRide(9, [220, 360], [220.01, 360], { untilMs: 9000, label: 'bus', heading: [1, 0] });
      const rider = aRide(1, [-40, 300], [1200, 300], { untilMs: 8000 });
      expectOneIdEach(
        { users: [rider], screen: { ...bus, view: { depressionDeg: 25, pxPerMetre: 22 } }, untilMs: 8000 },
        fps,
      );
    });

    it('that comes the other way, for about a second', () => {
      const bus = aRide(9, [900, 360], [-700, 360], {
        untilMs: 8000,
        label: 'bus',
        view: { depressionDeg: 25, pxPerMetre: 30 },
      });
      const rider = aRide(1, [-40, 300], [700, 300], { untilMs: 8000 });
      expectOneIdEach({ users: [rider], screen: bus, untilMs: 8000 }, fps);
    });

    it('that overtakes a person who waits, for about a second', () => {
      const bus = aRide(9, [-500, 380], [1100, 380], {
        untilMs: 6000,
        label: 'bus',
        view: { depressionDeg: 25, pxPerMetre: 30 },
      });
      const person = aRide(1, [300, 330], [300.01, 330], {
        untilMs: 6000,
        label: 'person',
        heading: [0, -1],
      });
      expectOneIdEach({ users: [person], screen: bus, untilMs: 6000 }, fps);
    });
  });

  it.each(RATES)('when two motorbikes cross each other, at %s fps', (fps) => {
    const users = [
      aRide(1, [100, 300], [500, 312], { untilMs: 4000 }),
      aRide(2, [500, 308], [100, 302], { untilMs: 4000 }),
    ];
    expectOneIdEach({ users, untilMs: 4000 }, fps);
  });

  it.each(RATES)('in a crowd of riders, at %s fps', (fps) => {
    const users = Array.from({ length: 12 }, (_, i) => {
      const [x, y] = [120 + 62 * (i % 4), 440 - 70 * Math.floor(i / 4)];
      return aRide(i + 1, [x, y], [x + 20 * ((i % 3) - 1), y - 200 - 12 * (i % 5)], {
        untilMs: 5000,
        view: { depressionDeg: 25, pxPerMetre: 28 },
      });
    });
    expectOneIdEach({ users, untilMs: 5000, jitterPx: 0.7 }, fps);
  });

  it('is the same id at 6, 12.5 and 25 fps', () => {
    const users = [0, 1, 2, 3].map((i) =>
      aRide(i + 1, [120 * i + 60, 470], [120 * i + 30, 200 - 20 * i], {
        fromMs: 700 * i,
        untilMs: 4000 + 700 * i,
        label: i % 2 === 0 ? 'motorbike' : 'car',
      }),
    );
    const ids = RATES.map((fps) => [...findIds({ users, untilMs: 7000 }, fps)]);
    expect(ids[1]).toEqual(ids[0]);
    expect(ids[2]).toEqual(ids[0]);
  });
});
