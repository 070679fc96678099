import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { LookalikeSearch } from './lookalike-search.ts';

const SIGN: Box = [100, 100, 114, 132];

/** `find` gives the boxes of people in a picture, twice a second. */
function search(
  seconds: number,
  find: (second: number) => Box[],
  { label = 'person', confidence = 0.5 }: { label?: 'person' | 'car'; confidence?: number } = {},
) {
  const lookalikes = new LookalikeSearch();
  for (let i = 0; i < 2 * seconds; i++)
    lookalikes.add(
      i * 500,
      find(i / 2).map((box) => ({ label, box, confidence })),
    );
  return lookalikes.find();
}

function shaken(random: SeededRandom, box: Box, px: number): Box {
  const side = (value: number): number => value + random.between(-px, px);
  return [side(box[0]), side(box[1]), side(box[2]), side(box[3])];
}

describe('LookalikeSearch', () => {
  it('finds a thing that is taken for a person in most pictures, to a pixel', () => {
    const random = new SeededRandom(1);
    const found = search(60, () => (random.between(0, 1) < 0.7 ? [shaken(random, SIGN, 1.5)] : []));
    expect(found).toHaveLength(1);
    expect(found[0]?.share).toBeGreaterThan(0.55);
    for (const side of [0, 1, 2, 3] as const)
      expect(Math.abs((found[0]?.box[side] ?? 0) - SIGN[side])).toBeLessThan(1);
  });

  it('tells two things apart, the surer first', () => {
    const other: Box = [300, 200, 330, 280];
    const found = search(60, (second) => (second % 2 < 1 ? [SIGN, other] : [other]));
    expect(found.map(({ box }) => box)).toEqual([other, SIGN]);
  });

  it.each([
    ['passes', (second: number): Box[] => [[100 + 5 * second, 100, 114 + 5 * second, 132]]],
    ['comes and goes', (second: number): Box[] => (second < 20 ? [SIGN] : [])],
    [
      'walks to and fro',
      (second: number): Box[] => {
        const x = 100 + 30 * Math.sin(second / 3);
        return [[x, 100, x + 14, 132]];
      },
    ],
    ['is seen now and then', (second: number): Box[] => (second % 5 < 1 ? [SIGN] : [])],
  ])('leaves somebody alone who %s', (_, find) => {
    expect(search(60, find)).toEqual([]);
  });

  it('leaves parked vehicles alone, and what is too doubtful to be followed', () => {
    expect(search(60, () => [SIGN], { label: 'car' })).toEqual([]);
    expect(search(60, () => [SIGN], { confidence: 0.2 })).toEqual([]);
  });
});
