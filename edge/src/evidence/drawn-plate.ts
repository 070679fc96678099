import { join } from 'node:path';
import sharp from 'sharp';
import type { Box } from '../geometry/box.ts';
import type { PlateLook, PlatePicture } from '../plate/plate-reading.ts';
import type { PlateSearch } from './local-plate-desk.ts';
import { runTool } from './test-recording.ts';

/**
 * Plates of a code of greys that a program reads without a model: a white frame with two cells for each character. Tests of the way
 * of a plate through the product need pixels that can be read, blurred or hidden, and nobody's plate.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LENGTH = 8;
const CELL = 6;
const BORDER = 4;
const DRAWN_PLATE = { width: 2 * LENGTH * CELL + 2 * BORDER, height: 24 } as const;
const LEVELS = 6;
const DARKEST = 10;
const STEP = 36;
const WHITE_FROM = 225;

/** RGBA of a plate that says `text` (eight characters). */
function drawPlate(text: string): { data: Buffer; width: number; height: number } {
  const { width, height } = DRAWN_PLATE;
  const data = Buffer.alloc(width * height * 4, 255);
  const digits = [...text].flatMap((character) => {
    const index = ALPHABET.indexOf(character);
    return [Math.floor(index / LEVELS), index % LEVELS];
  });
  digits.forEach((digit, cell) => {
    for (let y = BORDER; y < height - BORDER; y++) {
      const from = (y * width + BORDER + cell * CELL) * 4;
      for (let x = 0; x < CELL; x++) data.fill(DARKEST + digit * STEP, from + x * 4, from + x * 4 + 3);
    }
  });
  return { data, width, height };
}

export interface DrawnCar {
  readonly text: string;
  /** Of the left upper corner at the beginning, px. */
  readonly x: number;
  readonly y: number;
  /** px/s to the right. */
  readonly speed: number;
}

/** A car is this large, with its plate in the middle below. */
const DRAWN_CAR = { width: 220, height: 130 } as const;
const PLATE_AT = { left: (DRAWN_CAR.width - DRAWN_PLATE.width) / 2, top: 88 } as const;

export function computeCarBox({ x, y, speed }: DrawnCar, mediaTimeMs: number): Box {
  const left = x + (speed * mediaTimeMs) / 1000;
  return [left, y, left + DRAWN_CAR.width, y + DRAWN_CAR.height];
}

/** A video of cars on a grey road, 640×360 at 25/s; a later one of the list hides those before it. */
export async function drawTraffic(
  folder: string,
  path: string,
  { cars, seconds }: { readonly cars: readonly DrawnCar[]; readonly seconds: number },
): Promise<void> {
  const files: string[] = [];
  for (const [index, { text }] of cars.entries()) {
    const { data, ...raw } = drawPlate(text);
    const file = join(folder, `car-${index}.png`);
    await sharp({
      create: { ...DRAWN_CAR, channels: 4, background: index % 2 === 0 ? '#27406a' : '#5a2730' },
    })
      .composite([{ input: data, raw: { ...raw, channels: 4 }, ...PLATE_AT }])
      .png()
      .toFile(file);
    files.push(file);
  }
  const overlays = cars.map(
    ({ x, y, speed }, index) => `[v${index}][${index + 1}]overlay=x='${x}+${speed}*t':y=${y}[v${index + 1}]`,
  );
  await runTool(
    'ffmpeg',
    ...['-f', 'lavfi', '-i', `color=c=0x505860:s=640x360:r=25:d=${seconds}`],
    ...files.flatMap((file) => ['-loop', '1', '-framerate', '25', '-t', String(seconds), '-i', file]),
    ...['-filter_complex', `[0]null[v0];${overlays.join(';')}`, '-map', `[v${cars.length}]`],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '8', '-g', '25', '-pix_fmt', 'yuv420p', path],
  );
}

/** Finds the white frames in a region and reads their cells; without characters where the code is gone. */
export class DrawnPlateSearch implements PlateSearch {
  async find(picture: PlatePicture, within: Box): Promise<readonly PlateLook[]> {
    const looks: PlateLook[] = [];
    const [left, top, right, bottom] = within.map(Math.floor) as unknown as [number, number, number, number];
    for (let y = top; y + DRAWN_PLATE.height <= bottom + 4; y++) {
      for (let x = left; x + DRAWN_PLATE.width <= right + 4; x++) {
        if (!isCorner(picture, x, y) || looks.some(({ box }) => Math.hypot(box[0] - x, box[1] - y) < 12))
          continue;
        looks.push(readCells(picture, x, y));
      }
    }
    return looks;
  }
}

function greyAt({ data, width, height }: PlatePicture, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= width || y >= height) return 0;
  const at = (y * width + x) * 3;
  return ((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0)) / 3;
}

/** The left upper corner of a frame: white along its upper and left edge, and dark outside. */
function isCorner(picture: PlatePicture, x: number, y: number): boolean {
  if (greyAt(picture, x + 1, y + 1) < WHITE_FROM || greyAt(picture, x - 2, y + 1) > 150) return false;
  if (greyAt(picture, x + 1, y - 2) > 150) return false;
  for (let along = 2; along < DRAWN_PLATE.width - 2; along += 6)
    if (greyAt(picture, x + along, y + 1) < WHITE_FROM) return false;
  return greyAt(picture, x + 1, y + DRAWN_PLATE.height - 3) >= WHITE_FROM;
}

function readCells(picture: PlatePicture, x: number, y: number): PlateLook {
  const digits = Array.from({ length: 2 * LENGTH }, (_, cell) => {
    const grey = greyAt(picture, x + BORDER + cell * CELL + CELL / 2, y + DRAWN_PLATE.height / 2);
    return Math.min(LEVELS - 1, Math.max(0, Math.round((grey - DARKEST) / STEP)));
  });
  const characters = Array.from({ length: LENGTH }, (_, at) => ({
    character: ALPHABET[(digits[at * 2] ?? 0) * LEVELS + (digits[at * 2 + 1] ?? 0)] ?? '0',
    confidence: 0.995,
    alternatives: [],
  }));
  return {
    ...{ layout: 'one-line', characters, sharpness: 1, plateConfidence: 0.9 },
    box: [x, y, x + DRAWN_PLATE.width, y + DRAWN_PLATE.height],
  };
}
