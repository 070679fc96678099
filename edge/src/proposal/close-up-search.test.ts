import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../testing/seeded-random.ts';
import { findCloseUp } from './close-up-search.ts';

const PICTURE = { width: 640, height: 480 };

/** Road users all over a part of the picture, all of about one height. */
function crowd(count: number, [x1, y1, x2, y2]: readonly number[], height: number, seed: number) {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => ({
    ground: [random.between(x1 ?? 0, x2 ?? 0), random.between(y1 ?? 0, y2 ?? 0)] as const,
    height: height * random.between(0.9, 1.1),
  }));
}

describe('findCloseUp', () => {
  const near = crowd(200, [0, 250, 640, 480], 90, 1);

  it('finds the part where road users are small, with room around them, and how much it must be enlarged', () => {
    const found = findCloseUp([...near, ...crowd(150, [100, 120, 400, 180], 20, 2)], PICTURE);
    expect(found?.enlarge).toBe(2.25);
    expect(found?.share).toBeCloseTo(150 / 350, 2);
    const [x1, y1, x2, y2] = found?.box ?? [0, 0, 0, 0];
    expect([x1 < 100, y1 < 105, x2 > 400, y2 > 180]).toEqual([true, true, true, true]);
    expect([x1 > 60, y1 > 60, x2 < 440, y2 < 220]).toEqual([true, true, true, true]);
    expect(found?.cost).toBeCloseTo(((x2 - x1) * (y2 - y1) * 2.25 ** 2) / (640 * 480), 6);
  });

  it('counts in pixels that were looked at, and enlarges those of the source', () => {
    const double = (sights: ReturnType<typeof crowd>) =>
      sights.map(({ ground, height }) => ({
        ground: [2 * ground[0], 2 * ground[1]] as const,
        height: 2 * height,
      }));
    const sights = [...near, ...crowd(150, [100, 120, 400, 180], 20, 2)];
    const [once, twice] = [
      findCloseUp(sights, PICTURE),
      findCloseUp(double(sights), { width: 1280, height: 960 }, 2),
    ];
    expect(twice?.box).toEqual(once?.box.map((value) => 2 * value));
    expect(twice?.enlarge).toBe(1);
    expect(twice?.share).toBe(once?.share);
  });

  it('proposes none where few are small, where too little was seen, and where it would be the whole picture again', () => {
    expect(findCloseUp([...near, ...crowd(20, [100, 120, 400, 180], 20, 3)], PICTURE)).toBeUndefined();
    expect(findCloseUp(crowd(60, [100, 120, 400, 180], 20, 4), PICTURE)).toBeUndefined();
    expect(findCloseUp(crowd(300, [0, 20, 640, 480], 20, 5), PICTURE)).toBeUndefined();
    expect(findCloseUp([], PICTURE)).toBeUndefined();
  });
});
