import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlateReader } from '@ngatu/edge';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFindings } from './plate-finding-reading.ts';
import { evaluatePlatePassages } from './plate-passage.ts';

type Read = PlateReader['read'];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ngatu-passages-'));
  await mkdir(join(folder, 'images'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const on = new Date('2026-11-22T00:00:00Z');

/** White plates of 120 × 60 and of 80 × 40 px; the right half of each is black. */
async function writePlates(): Promise<void> {
  for (const [name, width] of [
    ['large.png', 120],
    ['small.png', 80],
  ] as const) {
    const black = {
      create: { width: width / 2, height: width / 2, channels: 3, background: '#000' },
    } as const;
    await sharp({ create: { width, height: width / 2, channels: 3, background: '#fff' } })
      .composite([{ input: await sharp(black).png().toBuffer(), left: width / 2, top: 0 }])
      .png()
      .toFile(join(folder, 'images', name));
  }
  await writeFile(
    join(folder, 'labels.csv'),
    'file,text,layout\nlarge.png,30A12345,one-line\nsmall.png,29B54321,two-line\n',
  );
}

const say = (text: string, confidence: number, box: readonly [number, number, number, number]) => ({
  layout: 'one-line' as const,
  characters: [...text].map((character) => ({ character, confidence, alternatives: [] })),
  texts: [{ text, confidence }],
  ...{ box, sharpness: 0.4, plateConfidence: 1 },
});

describe('passages that are made out of pictures of plates', () => {
  it('show the whole plate, closer from picture to picture, each in its own way', async () => {
    await writePlates();
    const seen: { height: number; left: number; right: number; digest: string }[] = [];
    const read: Read = async ({ data, width, height }, box) => {
      const [x1, y1, x2, y2] = box;
      expect([x1 > 0, y1 > 0, x2 < width, y2 < height]).toEqual([true, true, true, true]);
      const row = Math.round((y1 + y2) / 2) * width;
      const at = (x: number) => data[(row + Math.round(x)) * 3] ?? 0;
      const [left, right] = [at(x1 + (x2 - x1) / 4), at(x2 - (x2 - x1) / 4)];
      seen.push({ height: y2 - y1, left, right, digest: data.join() });
      return say('30A12345', 0.999, box);
    };
    const figures = await evaluatePlatePassages(
      { dataDir: folder, reader: { read }, heights: [50, 20], on, seed: 1 },
      signal,
    );
    // the small plate is less than 50 px high, and its text is another
    expect(figures.map(({ height, layout }) => [height, layout])).toEqual([
      [50, 'one-line'],
      [20, 'one-line'],
      [20, 'two-line'],
    ]);
    expect(figures[0]?.look.precision).toMatchObject({ hits: 8, total: 8 });
    expect(figures[0]?.vote.coverage).toMatchObject({ hits: 1, total: 1 });
    expect(figures[2]?.vote.precision).toMatchObject({ hits: 0, total: 1 });
    const heights = seen.slice(0, 8).map(({ height }) => height);
    for (const [index, height] of heights.entries())
      expect(Math.abs(height - 50 * (0.8 + (0.2 * index) / 7))).toBeLessThan(50 * 0.1);
    for (const { left, right } of seen) expect(left - right).toBeGreaterThan(150);
    expect(new Set(seen.map(({ digest }) => digest)).size).toBe(seen.length);
  });
});

describe('the reading of what was found', () => {
  it('tells what was invented from what stands on plates', async () => {
    await writePlates();
    const found = [
      { confidence: 0.9, box: [0, 0, 60, 60] },
      { confidence: 0.9, box: [60, 30, 100, 50] },
      { confidence: 0.9, box: [100, 0, 119, 20] },
      { confidence: 0.1, box: [0, 0, 10, 10] },
    ] as const;
    const picture = { picture: 'large.png', truths: [[0, 0, 60, 58]], found, leftOut: [[60, 30, 100, 52]] };
    const read: Read = async (_, box) => (box[0] > 90 ? say('', 1, box) : say('30A12345', 0.999, box));
    const readings = await readFindings(
      [picture as unknown as Parameters<typeof readFindings>[0][number]],
      { dataDir: folder, reader: { read }, on },
      signal,
    );
    expect(readings.map(({ read: { hits, total }, nothing }) => [hits, total, nothing.hits])).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [0, 1, 1],
    ]);
  });
});
