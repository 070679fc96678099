import { describe, expect, it } from 'vitest';
import type { Detection } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import { locateOccupantPatch } from '../occupant/occupant-net.ts';
import { aDetection } from '../testing/builder.ts';
import { forAll } from '../testing/seeded-random.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import { countRiders, joinBoxes } from './rider-counts.ts';

/** A picture of half the size of its source. */
const PICTURE: Frame = {
  ...{ session: 's', index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0, lamps: [] },
  ...{ width: 640, height: 360, sourceWidth: 1280, sourceHeight: 720, pixels: new Uint8Array() },
};

const motorbike = (box: Box) => aDetection({ label: 'motorbike', confidence: 0.8, box });

async function look(detections: readonly Detection[]) {
  const regions: Box[] = [];
  const counted = await countRiders(PICTURE, fuseRiders(detections), {
    count: async (_, ride) => {
      regions.push(ride);
      return [0, 1, 0, 0];
    },
  });
  return { regions, counted };
}

describe('countRiders', () => {
  it('looks at a two-wheeler with its rider in the picture that is analysed, and says of which box', async () => {
    const bike = motorbike([100, 300, 160, 420]);
    const person = aDetection({ label: 'person', confidence: 0.8, box: [110, 240, 150, 360] });
    const { regions, counted } = await look([bike, person]);
    expect(regions).toEqual([[50, 120, 80, 210]]);
    expect([...counted.keys()]).toEqual([bike.box]);
    expect(counted.get(bike.box)).toEqual(joinBoxes([0, 1, 0, 0], 1));
  });

  it('leaves out who is small, and all that is no two-wheeler', async () => {
    const small = motorbike([100, 300, 140, 378]);
    const car = aDetection({ label: 'car', confidence: 0.8, box: [300, 300, 500, 420] });
    expect((await look([small, car])).regions).toEqual([]);
  });

  it('looks at the eight largest', async () => {
    const many = Array.from({ length: 11 }, (_, i) => motorbike([i * 110, 300, i * 110 + 60, 400 + i]));
    const { counted } = await look(many);
    expect([...counted.keys()].map((box) => many.findIndex((one) => one.box === box))).toEqual([
      ...[10, 9, 8, 7, 6, 5, 4, 3],
    ]);
  });
});

describe('countRiders in a crowd', () => {
  it('looks first at those in free view', async () => {
    const crowd = Array.from({ length: 9 }, (_, i) => motorbike([i * 40, 200, i * 40 + 100, 420]));
    const apart = motorbike([1000, 300, 1040, 390]);
    const { counted } = await look([...crowd, apart]);
    expect(counted.size).toBe(8);
    expect([...counted.keys()][0]).toBe(apart.box);
  });
});

describe('joinBoxes', () => {
  const likeliest = (shares: readonly number[]): number => shares.indexOf(Math.max(...shares));

  it('gives shares of belief that add up to 1, whatever comes', () => {
    forAll(300, (random) => {
      const parts = [random.next(), random.next(), random.next(), random.next()].map((part) => part ** 4);
      const sum = parts.reduce((total, part) => total + part, 0) || 1;
      const [a = 0, b = 0, c = 0, d = 0] = parts.map((part) => part / sum);
      const joined = joinBoxes([a, b, c, d], random.integer(0, 5));
      expect(joined.reduce((total, share) => total + share, 0)).toBeCloseTo(1);
      expect(joined.every((share) => share >= 0 && share <= 1)).toBe(true);
    });
  });

  it('believes more in more the more boxes there are', () => {
    const shares = [0.05, 0.45, 0.4, 0.1] as const;
    const joined = [0, 1, 2, 3].map((boxes) => joinBoxes(shares, boxes));
    expect(joined.map(likeliest)).toEqual([1, 1, 2, 2]);
    const many = joined.map(([, , , share]) => share);
    expect(many).toEqual(many.toSorted((a, b) => a - b));
  });

  it('lets neither overrule the other where it is sure', () => {
    expect(likeliest(joinBoxes([0, 1, 0, 0], 3))).toBe(1);
    expect(likeliest(joinBoxes([0, 0, 0, 1], 0))).toBe(3);
  });
});

describe('the region that the network looks at', () => {
  it('reaches above the box, where heads are, and is of the shape of the patch', () => {
    const [x1, y1, x2, y2] = locateOccupantPatch([100, 200, 140, 300], 0.75);
    expect([x1, y1, x2, y2]).toEqual([67.5, 165, 172.5, 305]);
    expect((x2 - x1) / (y2 - y1)).toBeCloseTo(0.75);
  });

  it('is as wide as a motorbike that is seen from the side', () => {
    const [x1, y1, x2, y2] = locateOccupantPatch([100, 200, 300, 300], 0.75);
    expect([x1, x2]).toEqual([80, 320]);
    expect(y2 - y1).toBeCloseTo(320);
  });

  it('is one of an empty box, too', () => {
    const patch = locateOccupantPatch([10, 10, 10, 10], 0.75);
    expect(patch.every(Number.isFinite)).toBe(true);
    expect(patch[2]).toBeGreaterThan(patch[0]);
  });
});
