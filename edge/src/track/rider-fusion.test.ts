import { isTwoWheeler } from '@ngatu/contract';
import { describe, expect, it } from 'vitest';
import type { Detection } from '../detect/detection.ts';
import { type Box, isPartOf } from '../geometry/box.ts';
import { aDetection } from '../testing/builder.ts';
import { forAll, type SeededRandom } from '../testing/seeded-random.ts';
import { fuseRiders } from './rider-fusion.ts';

const BIKE = aDetection({ label: 'motorbike', confidence: 0.7, box: [300, 240, 340, 300] });
const RIDER = aDetection({ label: 'person', confidence: 0.9, box: [304, 200, 338, 282] });
const PILLION = aDetection({ label: 'person', confidence: 0.6, box: [308, 206, 340, 270] });

/** A street full of bikes, riders and people on foot, also impossible ones. */
function drawStreet(random: SeededRandom): Detection[] {
  return Array.from({ length: random.integer(0, 12) }, () => {
    const label = (['person', 'person', 'motorbike', 'bicycle', 'car'] as const)[random.integer(0, 4)];
    const [x, y] = [random.between(200, 400), random.between(200, 300)];
    const box: Box = [x, y, x + random.between(15, 60), y + random.between(30, 110)];
    return aDetection({ label: label ?? 'car', confidence: random.between(0.05, 1), box });
  });
}

const describeUsers = (detections: readonly Detection[]): string[] =>
  fuseRiders(detections)
    .map((user) => JSON.stringify(user))
    .sort();

describe('fuseRiders', () => {
  it('makes one road user of a bike and its rider, standing on the wheels', () => {
    const low = { ...RIDER, box: [304, 200, 338, 303] as const };
    for (const rider of [RIDER, low]) {
      const users = fuseRiders([rider, BIKE]);
      expect(users).toHaveLength(1);
      expect(users[0]).toMatchObject({
        label: 'motorbike',
        confidence: 0.9,
        box: [300, 200, 340, 300],
        vehicleBox: BIKE.box,
        occupants: [{ box: rider.box, confidence: 0.9 }],
        groundHidden: false,
      });
    }
  });

  it('leaves the box as it is where it holds the riders already, and seats them all the same', () => {
    const whole = aDetection({ label: 'motorbike', confidence: 0.7, box: [300, 205, 340, 300] });
    const [user, ...others] = fuseRiders([{ ...whole, holdsRiders: true }, RIDER]);
    expect(others).toEqual([]);
    expect(user).toMatchObject({ box: whole.box, vehicleBox: whole.box, occupants: [{ box: RIDER.box }] });
    expect(fuseRiders([whole, RIDER])[0]?.box).toEqual([300, 200, 340, 300]);
    const unsure = { ...whole, confidence: RIDER.confidence / 2 };
    expect(fuseRiders([{ ...unsure, holdsRiders: true }, RIDER])[0]?.confidence).toBe(unsure.confidence);
    expect(fuseRiders([unsure, RIDER])[0]?.confidence).toBe(RIDER.confidence);
  });

  it('takes the bike below a rider for no second motorbike, and one behind or as sure for one', () => {
    const whole = aDetection({ label: 'motorbike', confidence: 0.7, box: [300, 205, 340, 300] });
    const part = { ...whole, confidence: 0.5, box: [305, 250, 336, 299] as const };
    expect(fuseRiders([whole, part]).map(({ box }) => box)).toEqual([whole.box]);
    expect(fuseRiders([whole, { ...part, label: 'bicycle' }])).toHaveLength(1);
    expect(fuseRiders([whole, { ...part, box: [305, 215, 336, 270] }])).toHaveLength(2);
    expect(fuseRiders([whole, { ...part, confidence: 0.7 }])).toHaveLength(2);
    expect(fuseRiders([{ ...whole, label: 'car' }, part])).toHaveLength(2);
    expect(fuseRiders([whole, { ...part, box: [305, 250, 325, 299] }])).toHaveLength(2);
  });

  it('seats two on one bike and keeps both boxes', () => {
    const [user, ...rest] = fuseRiders([PILLION, BIKE, RIDER]);
    expect(rest).toEqual([]);
    expect(user?.occupants.map(({ box }) => box)).toEqual(expect.arrayContaining([RIDER.box, PILLION.box]));
    expect(user?.occupants).toHaveLength(2);
  });

  it('takes at most four on one bike', () => {
    const crowd = [0, 1, 2, 3, 4, 5].map((i) => ({ ...RIDER, box: [302 + i, 200, 334 + i, 280] as const }));
    const users = fuseRiders([BIKE, ...crowd]);
    expect(users.find(({ label }) => label === 'motorbike')?.occupants).toHaveLength(4);
    expect(users.filter(({ label }) => label === 'person')).toHaveLength(2);
  });

  it.each([
    ['beside it', [345, 200, 375, 302]],
    ['with a shoulder over it', [328, 200, 358, 300]],
    ['in front of it, feet well below its wheels', [304, 230, 338, 330]],
    ['behind it, feet above its seat', [304, 140, 338, 242]],
    ['as small as a child far away', [312, 235, 322, 252]],
    ['much taller than a rider', [304, 120, 338, 290]],
  ] as const)('leaves a pedestrian alone who is %s', (_, box) => {
    const users = fuseRiders([BIKE, aDetection({ label: 'person', box })]);
    expect(users.map(({ label }) => label).sort()).toEqual(['motorbike', 'person']);
    expect(users.flatMap(({ occupants }) => occupants)).toEqual([]);
  });

  it('keeps a rider whose bike was not found, and a bike whose rider was not', () => {
    const [person] = fuseRiders([RIDER]);
    expect(person).toMatchObject({ label: 'person', box: RIDER.box, occupants: [] });
    expect(person).not.toHaveProperty('vehicleBox');
    expect(fuseRiders([BIKE])[0]).toMatchObject({ label: 'motorbike', box: BIKE.box, occupants: [] });
  });

  it('joins nobody to a car', () => {
    const car = aDetection({ label: 'car', box: [280, 220, 380, 300] });
    expect(fuseRiders([car, RIDER])).toHaveLength(2);
  });

  it('gives each of two neighbours its own rider', () => {
    const second = aDetection({ label: 'motorbike', box: [332, 240, 372, 300] });
    const secondRider = aDetection({ label: 'person', box: [336, 200, 370, 282] });
    const users = fuseRiders([RIDER, secondRider, BIKE, second]);
    expect(users).toHaveLength(2);
    for (const user of users) expect(user.occupants).toHaveLength(1);
    expect(users[0]?.occupants[0]?.box).toEqual(RIDER.box);
  });

  it('does not join a person too doubtful to be one', () => {
    const [user] = fuseRiders([BIKE, { ...RIDER, confidence: 0.1 }]);
    expect(user?.occupants).toEqual([]);
    expect(user?.box).toEqual(BIKE.box);
  });

  it('marks who stands behind somebody nearer, and only that one', () => {
    const far = aDetection({ label: 'car', box: [280, 100, 380, 200] });
    const near = aDetection({ label: 'bus', box: [270, 150, 390, 300] });
    const beside = aDetection({ label: 'car', box: [400, 150, 480, 300] });
    const hidden = fuseRiders([far, near, beside]).map(({ groundHidden }) => groundHidden);
    expect(hidden).toEqual([true, false, false]);
  });

  it('finds the same road users in whatever order the findings come', () => {
    forAll(300, (random) => {
      const street = drawStreet(random);
      expect(describeUsers(random.shuffle(street))).toEqual(describeUsers(street));
    });
  });

  it('loses nobody and invents nobody', () => {
    forAll(300, (random) => {
      const all = drawStreet(random);
      const wheels = all.filter(({ label }) => isTwoWheeler(label));
      const street = all.filter(
        (one) =>
          !wheels.includes(one) ||
          !wheels.some(
            (other) =>
              other.confidence > one.confidence &&
              one.box[2] - one.box[0] >= 0.65 * (other.box[2] - other.box[0]) &&
              isPartOf(one.box, other.box),
          ),
      );
      const users = fuseRiders(all);
      const seated = users.flatMap(({ occupants }) => occupants.map(({ box }) => box));
      const vehicles = users.flatMap(({ vehicleBox }) => (vehicleBox === undefined ? [] : [vehicleBox]));
      const onFoot = users.flatMap(({ label, box }) => (label === 'person' ? [box] : []));
      const found = [...seated, ...vehicles, ...onFoot].map((box) => JSON.stringify(box));
      expect(found.sort()).toEqual(street.map(({ box }) => JSON.stringify(box)).sort());
    });
  });
});
