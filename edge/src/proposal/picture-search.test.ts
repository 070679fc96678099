import { describe, expect, it } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { Background } from './background.ts';
import { LampSearch } from './lamp-search.ts';
import { findStopLines } from './stop-line-search.ts';

const WIDTH = 320;
const HEIGHT = 240;
type Colour = readonly [b: number, g: number, r: number];

function aFrame(atMs: number, paint: readonly { box: Box; colour: Colour }[], random: SeededRandom): Frame {
  const pixels = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < pixels.length; i += 997) pixels.fill(80 + random.integer(-4, 4), i, i + 997);
  for (const { box, colour } of paint) {
    for (let y = box[1]; y < box[3]; y++) {
      for (let x = box[0]; x < box[2]; x++)
        for (let c = 0; c < 3; c++) pixels[(y * WIDTH + x) * 3 + c] = colour[c] ?? 0;
    }
  }
  return {
    ...{
      session: 's',
      index: Math.round(atMs / 100),
      mediaTimeMs: atMs,
      capturedAtMs: atMs,
      clockErrorMs: 0,
    },
    ...{ width: WIDTH, height: HEIGHT, pixels, sourceWidth: 2 * WIDTH, sourceHeight: 2 * HEIGHT, lamps: [] },
  };
}

const RED: Colour = [40, 20, 180];
const GREEN: Colour = [120, 150, 10];
const WHITE: Colour = [200, 200, 200];
const LINE: Box = [60, 120, 260, 124];

describe('Background', () => {
  it('shows the road where somebody waited for most of the time', () => {
    const random = new SeededRandom(1);
    const background = new Background(500);
    const waiting: Box = [140, 90, 180, 150];
    for (let k = 0; k < 60; k++) {
      const paint = [{ box: LINE, colour: WHITE }];
      const covered = k >= 6;
      if (covered) paint.push({ box: waiting, colour: [10, 10, 10] });
      const found: Box[] = covered ? [[280, 180, 360, 300]] : [];
      background.add(aFrame(k * 500, paint, random), found);
    }
    const picture = background.compute();
    expect(picture?.pixels[(122 * WIDTH + 160) * 3]).toBe(200);
    expect(picture?.scale).toBe(2);
  });
});

describe('findStopLines', () => {
  it('finds the painted line of a way and follows it beyond the way', () => {
    const background = new Background(500);
    for (let k = 0; k < 5; k++)
      background.add(aFrame(k * 500, [{ box: LINE, colour: WHITE }], new SeededRandom(k)), []);
    const picture = background.compute();
    if (picture === undefined) throw new Error('no picture');
    const flow = {
      ...{ from: [320, 460] as const, to: [320, 40] as const, polygon: [], count: 9 },
      ...{ direction: [0, -1] as const, widthPx: 160 },
    };
    const [line, ...others] = findStopLines(flow, picture, []);
    expect(others).toEqual([]);
    expect(line?.paint).toBeGreaterThan(0.9);
    expect(line?.stops).toBeUndefined();
    const ends = [line?.points[0], line?.points.at(-1)];
    expect(ends.map((point) => Math.round((point?.[0] ?? 0) / 20))).toEqual([6, 26]);
    for (const [, y] of line?.points ?? []) expect(Math.abs(y - 244)).toBeLessThanOrEqual(6);
    expect(line?.forwardTowards[1]).toBeLessThan(200);
  });
});

describe('LampSearch', () => {
  const red: Box = [200, 40, 208, 48];
  const green: Box = [200, 64, 208, 72];

  it('finds a head by its phases, and neither a sign, nor a countdown, nor a brake light', () => {
    const random = new SeededRandom(2);
    const search = new LampSearch();
    for (let k = 0; k < 160; k++) {
      const isRed = k % 80 < 47;
      search.add(
        aFrame(
          k * 250,
          [
            { box: isRed ? red : green, colour: isRed ? RED : GREEN },
            { box: [100, 50, 108, 58], colour: RED },
            { box: [200, 20, 208, 28], colour: isRed ? RED : GREEN },
            ...(k % 3 === 0 ? [{ box: [40, 100, 46, 106] as Box, colour: RED }] : []),
          ],
          random,
        ),
      );
    }
    const [head, ...others] = search.find();
    expect(head?.score).toBeGreaterThan(0.8);
    expect(head?.changes).toBe(3);
    const [x1, y1, x2, y2] = head?.box ?? [0, 0, 0, 0];
    expect(
      Math.max(Math.abs(x1 - 398), Math.abs(y1 - 78), Math.abs(x2 - 418), Math.abs(y2 - 146)),
    ).toBeLessThanOrEqual(4);
    for (const { score } of others) expect(score).toBeLessThan(0.2);
  });

  it('knows nothing before the first picture', () => {
    expect(new LampSearch().find()).toEqual([]);
  });
});
