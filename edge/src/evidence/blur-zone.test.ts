import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import type { Track } from '../track/track.ts';
import { pixelate } from './blur-mosaic.ts';
import { type BlurQuestion, planBlur } from './blur-zone.ts';
import { describeSight, RoadUserLog, type SeenRoadUser } from './road-user-sight.ts';
import { findRoadUsers } from './sight-lookup.ts';

const SCOPE = { faces: true, plates: true };
const rider: Box = [110, 60, 190, 200];
const subject: SeenRoadUser = {
  trackId: 1,
  label: 'motorbike',
  box: [100, 60, 200, 300],
  occupants: [rider],
};
const ask = (changes: Partial<BlurQuestion>) =>
  planBlur({
    width: 640,
    height: 480,
    users: [subject],
    subject,
    faces: [],
    plates: [],
    scope: SCOPE,
    ...changes,
  });
const covers = (boxes: readonly Box[], x: number, y: number) =>
  boxes.some((box) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]);
const zonesOf = ({ behind, front }: ReturnType<typeof planBlur>) =>
  [...behind, ...front].map(({ box }) => box);

describe('planBlur', () => {
  it('leaves the subject alone and blurs heads and plates of all others', () => {
    const person: SeenRoadUser = { trackId: 2, label: 'person', box: [300, 100, 340, 220], occupants: [] };
    const car: SeenRoadUser = { trackId: 3, label: 'car', box: [400, 100, 600, 250], occupants: [] };
    const zones = zonesOf(ask({ users: [subject, person, car] }));
    expect(covers(zones, 320, 105)).toBe(true);
    expect(covers(zones, 320, 210)).toBe(false);
    expect(covers(zones, 500, 230)).toBe(true);
    expect(covers(zones, 500, 110)).toBe(false);
    expect(covers(zones, 150, 240)).toBe(false);
    expect(zonesOf(ask({ users: [subject] }))).toEqual([]);
  });

  it('blurs the head of a rider whom nobody saw', () => {
    const bike: SeenRoadUser = { label: 'motorbike', box: [300, 200, 380, 300], occupants: [] };
    expect(covers(zonesOf(ask({ users: [subject, bike] })), 340, 175)).toBe(true);
  });

  it('keeps the face and plate of the subject, and no other that is found inside its box', () => {
    const own = ask({ faces: [[140, 65, 160, 90]], plates: [[130, 230, 170, 250]] });
    expect(own.front).toEqual([]);
    expect(ask({ faces: [[140, 280, 160, 299]] }).front).toHaveLength(1);
    const other: SeenRoadUser = { trackId: 4, label: 'motorbike', box: [120, 90, 230, 290], occupants: [] };
    const plate: Box = [160, 225, 190, 240];
    expect(ask({ users: [subject, other], plates: [plate] }).front).toContainEqual(
      expect.objectContaining({ cells: 2 }),
    );
  });

  it('lets who stands before the subject be blurred over it, and who stands behind not over its plate', () => {
    const before: SeenRoadUser = { trackId: 5, label: 'person', box: [120, 220, 180, 400], occupants: [] };
    expect(ask({ users: [subject, before] }).front).toHaveLength(1);
    const behind: SeenRoadUser = { trackId: 6, label: 'car', box: [90, 40, 260, 260], occupants: [] };
    const plan = ask({ users: [subject, behind] });
    expect(plan.front).toEqual([]);
    expect(covers(plan.kept, 150, 240)).toBe(true);
  });

  it('blurs whole road users whose faces or plates nobody looks for', () => {
    const person: SeenRoadUser = { label: 'person', box: [300, 100, 340, 220], occupants: [] };
    const car: SeenRoadUser = { label: 'car', box: [400, 100, 600, 250], occupants: [] };
    const boxes = zonesOf(ask({ users: [person, car], scope: { faces: false, plates: false } }));
    expect(boxes).toEqual([person.box, car.box]);
  });

  it('blurs the whole picture where nobody knows who was there, all of it without a subject', () => {
    const whole: Box = [0, 0, 640, 480];
    expect(ask({ users: undefined })).toMatchObject({ behind: [{ box: whole }], kept: [subject.box] });
    expect(ask({ users: undefined, subject: undefined })).toMatchObject({
      behind: [{ box: whole }],
      kept: [],
    });
  });

  it('shows no face behind a windscreen, also of the subject', () => {
    const car: SeenRoadUser = { trackId: 1, label: 'car', box: [100, 60, 300, 200], occupants: [] };
    expect(ask({ users: [car], subject: car, faces: [[180, 80, 200, 100]] }).front).toHaveLength(1);
  });
});

it('leaves nothing of a box but one value a cell', () => {
  const data = Uint8Array.from({ length: 40 * 30 }, (_, index) => (index * 7919) % 256);
  const before = Uint8Array.from(data);
  pixelate({ data, width: 40, height: 30, channels: 1 }, [4, 6, 28, 30], 2);
  const inside = new Set<number>();
  for (let y = 0; y < 30; y++)
    for (let x = 0; x < 40; x++) {
      const at = y * 40 + x;
      if (x >= 4 && x < 28 && y >= 6) inside.add(data[at] ?? -1);
      else expect(data[at]).toBe(before[at]);
    }
  expect(inside.size).toBeLessThanOrEqual(4);
  pixelate({ data, width: 40, height: 30, channels: 1 }, [-50, -50, -10, -10], 2); // outside: nothing happens
});

describe('who was where', () => {
  const at = (mediaTimeMs: number, users: SeenRoadUser[]) => ({ mediaTimeMs, users });
  const walker = (x: number): SeenRoadUser => ({
    trackId: 2,
    label: 'person',
    box: [x, 0, x + 10, 30],
    occupants: [],
  });

  it('interpolates tracks, takes who was seen on one side only, and knows nothing far from any sight', () => {
    const sights = [at(0, [walker(0)]), at(200, [walker(100), { ...walker(300), trackId: 9 }])];
    expect(findRoadUsers(sights, 50)?.map(({ box }) => box[0])).toEqual([25, 300]);
    expect(findRoadUsers(sights, 550)).toHaveLength(2);
    expect(findRoadUsers(sights, 900)).toBeUndefined();
    expect(findRoadUsers([], 0)).toBeUndefined();
  });

  it('remembers whom the detector missed in one picture', () => {
    const sights = [at(0, [walker(0)]), at(100, []), at(200, [walker(20)])];
    expect(findRoadUsers(sights, 100)).toHaveLength(2);
  });

  it('keeps the sights of this session and of the one before', () => {
    const log = new RoadUserLog();
    log.add('s1', at(10, [walker(0)]));
    log.add('s2', at(5, []));
    expect(log.list('s1', 0, 100)).toHaveLength(1);
    log.add('s3', at(5, []));
    expect(log.list('s1', 0, 100)).toEqual([]);
    for (let index = 0; index < 6_000; index++) log.add('s3', at(10 + index, []));
    expect(log.list('s3', 0, 1e9).length).toBeLessThanOrEqual(4_500);
  });

  it('takes weak detections too, but not those that a track explains', () => {
    const track: Track = {
      ...{ trackId: 1, state: 'confirmed', label: 'motorbike', confidence: 0.9, box: subject.box },
      ...{
        groundSeen: true,
        seen: true,
        occupants: [{ box: rider, confidence: 0.8 }],
        firstSeenMs: 0,
        lastSeenMs: 0,
      },
    };
    const detections = [
      { label: 'motorbike', confidence: 0.9, box: [102, 150, 198, 300] },
      { label: 'person', confidence: 0.8, box: rider },
      { label: 'person', confidence: 0.12, box: [180, 70, 220, 180] },
    ] as const;
    const sight = describeSight(0, detections, [track, { ...track, trackId: 2, seen: false }]);
    expect(sight.users.map(({ trackId, label }) => [trackId, label])).toEqual([
      [1, 'motorbike'],
      [undefined, 'person'],
    ]);
  });
});
