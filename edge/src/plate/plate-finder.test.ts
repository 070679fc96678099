import { describe, expect, it } from 'vitest';
import type { Box } from '../geometry/box.ts';
import { lookAtPlate } from './plate-finder.ts';
import type { PlateReader } from './plate-reader.ts';
import type { PlateLook, PlatePicture } from './plate-reading.ts';

const PICTURE: PlatePicture = {
  data: Uint8Array.from({ length: 3 * 160 * 120 }, (_, index) => (index * 37) % 251),
  width: 160,
  height: 120,
  channels: 3,
};

/** Remembers what it was asked to read, and says the same of everything. */
class Witness implements Pick<PlateReader, 'read'> {
  readonly boxes: Box[] = [];

  async read(_picture: PlatePicture, box: Box, plateConfidence = 1): Promise<PlateLook> {
    this.boxes.push(box);
    const characters = [{ character: '7', confidence: 0.9, alternatives: [] }];
    return { layout: 'two-line', characters, texts: [], box, sharpness: 1, plateConfidence };
  }
}

describe('lookAtPlate', () => {
  it('reads a plate a little wider than it was found, and tells where it was found', async () => {
    const reader = new Witness();
    const look = await lookAtPlate(reader, PICTURE, { box: [20, 20, 60, 50], confidence: 0.6 });
    expect(look).toMatchObject({ box: [20, 20, 60, 50], plateConfidence: 0.6, layout: 'two-line' });
    expect(look.characters).toHaveLength(1);
    const [[x1, y1, x2, y2] = [0, 0, 0, 0]] = reader.boxes;
    expect([x1 < 20, y1 < 20, x2 > 60, y2 > 50]).toEqual([true, true, true, true]);
  });

  it('asks nobody to read a plate of fewer than 8 px, and says how plain the look is all the same', async () => {
    const reader = new Witness();
    const look = await lookAtPlate(reader, PICTURE, { box: [20, 20, 50, 27.9], confidence: 0.6 });
    expect(reader.boxes).toEqual([]);
    expect(look).toMatchObject({ box: [20, 20, 50, 27.9], characters: [], texts: [], layout: 'one-line' });
    expect(look.sharpness).toBeGreaterThan(0);
  });
});
