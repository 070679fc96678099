import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import type { StillPicture } from './background.ts';
import { traceLine } from './line-trace.ts';

const WIDTH = 320;
const HEIGHT = 240;
const UP: Point = [0, -1];

/** A lens bends the line: its height in the picture at a column. */
const bent = (x: number): number => 120 + (x - 160) ** 2 / 4_000;

/** Road with a bent line from column 60 to 260, scale 2; `worn` columns show no paint. */
function aRoad(
  worn: readonly [number, number],
  beside: (x: number, y: number) => number = () => 0,
): StillPicture {
  const random = new SeededRandom(3);
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const isPaint = x >= 60 && x < 260 && (x < worn[0] || x >= worn[1]) && Math.abs(y - bent(x)) <= 2;
      const luma = 90 + random.integer(-4, 4) + (isPaint ? 30 : 0) + beside(x, y);
      pixels.fill(luma, 3 * (y * WIDTH + x), 3 * (y * WIDTH + x) + 3);
    }
  }
  return { width: WIDTH, height: HEIGHT, pixels, scale: 2 };
}

/** Greatest way of the traced corners from the line, px of the source, and the columns of its ends. */
function compare(points: readonly Point[]): { off: number; ends: number[] } {
  const columns = points.map(([x]) => x / 2);
  return {
    off: Math.max(...points.map(([x, y]) => Math.abs(y - 2 * bent(x / 2)))),
    ends: [columns[0] ?? 0, columns.at(-1) ?? 0],
  };
}

describe('traceLine', () => {
  it('follows a bent line from end to end, over a worn part, from a short piece that lies askew', () => {
    const points = traceLine(
      aRoad([100, 104]),
      [
        [300, 239],
        [350, 241],
      ],
      UP,
    );
    const { off, ends } = compare(points);
    expect(off).toBeLessThanOrEqual(5);
    expect(Math.abs((ends[0] ?? 0) - 60)).toBeLessThanOrEqual(5);
    expect(Math.abs((ends[1] ?? 0) - 260)).toBeLessThanOrEqual(5);
    expect(points.length).toBeLessThanOrEqual(8);
  });

  it('ends where the paint does, though speckles and a bright kerb go on beyond it', () => {
    const speckles = new SeededRandom(9);
    const road = aRoad([0, 0], (x, y) => {
      if (x >= 275 && Math.abs(y - bent(x)) <= 2) return 130;
      return x < 52 && speckles.next() < 0.05 ? 35 : 0;
    });
    const { off, ends } = compare(
      traceLine(
        road,
        [
          [200, 242],
          [440, 242],
        ],
        UP,
      ),
    );
    expect(off).toBeLessThanOrEqual(5);
    expect(Math.abs((ends[0] ?? 0) - 60)).toBeLessThanOrEqual(6);
    expect(Math.abs((ends[1] ?? 0) - 260)).toBeLessThanOrEqual(6);
  });

  it('leaves a line as it is where there is no paint, or where it is too short to follow', () => {
    const bare = aRoad([0, WIDTH]);
    const points = traceLine(
      bare,
      [
        [200, 240],
        [440, 240],
      ],
      UP,
    );
    expect(compare(points).ends.map((column) => Math.abs(column - 160) <= 66)).toEqual([true, true]);
    const short = [
      [200, 240],
      [203, 240],
    ] as const;
    expect(traceLine(bare, short, UP)).toEqual(short);
  });
});
