import type { ModelManifest } from '@ngatu/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aVerifiedNetwork } from '../testing/carried-network.ts';
import { drawPlate } from '../testing/plate-picture.ts';
import { PlateReader } from './plate-reader.ts';
import type { PlatePicture } from './plate-reading.ts';
import { votePlate } from './plate-vote.ts';

describe('the reader of plates', () => {
  let reader: PlateReader;
  beforeAll(async () => {
    reader = await PlateReader.open([aVerifiedNetwork('plate-reader-vn')], 1, { isTried: true });
  });
  afterAll(() => reader.close());

  const read = async (picture: PlatePicture) =>
    reader.read(picture, [0, 0, picture.width, picture.height], 0.8);

  it.each([
    [['71F-047.14'], '71F04714', 'one-line', 'car', '71F-047.14'],
    [['74A-2017'], '74A2017', 'one-line', 'car', '74A-2017'],
    [['14-H1', '270.47'], '14H127047', 'two-line', 'motorbike', '14-H1 270.47'],
    [['71A', '204.77'], '71A20477', 'two-line', 'car', '71A-204.77'],
  ] as const)('reads %j', async (lines, text, layout, kind, shown) => {
    const look = await read(await drawPlate(lines));
    expect(look.layout).toBe(layout);
    const reading = votePlate([look], { class: kind, on: new Date('2026-11-22T00:00:00Z') }, 0.5);
    expect(reading).toMatchObject({ text, shown, state: 'read' });
    expect(look.characters.map(({ character }) => character).join('')).toHaveLength(text.length);
    expect(look.sharpness).toBeGreaterThan(0);
  });

  it('calls unreadable what nobody could read', async () => {
    const subject = { class: 'car', on: new Date('2026-11-22T00:00:00Z') } as const;
    const blurred = await read(await drawPlate(['71F-047.14'], 14));
    expect(votePlate([blurred], subject).state).toBe('unreadable');
    const empty = { data: new Uint8Array(120 * 40 * 3).fill(128), width: 120, height: 40, channels: 3 };
    expect(votePlate([await read(empty)], subject).state).toBe('unreadable');
  });

  it.each([
    [
      'a lamp in the dark',
      (x: number, y: number) => 40 + 200 * Math.exp(-((x - 60) ** 2 + (y - 30) ** 2) / 90),
    ],
    ['a bright pillar', (x: number) => (x > 40 && x < 62 ? 220 : 50)],
    ['a wheel', (x: number, y: number) => (Math.abs(Math.hypot(x - 60, y - 30) - 22) < 5 ? 30 : 120)],
    ['a grille', (_: number, y: number) => (y % 12 < 6 ? 60 : 170)],
    ['a kerb', (x: number, y: number) => (x * 0.4 + y > 50 ? 190 : 80)],
  ])('sees no character on %s, however often it looks', async (_, shade) => {
    const [width, height] = [120, 60];
    const data = new Uint8Array(width * height * 3);
    for (let at = 0; at < data.length; at++)
      data[at] = shade(Math.floor(at / 3) % width, Math.floor(at / 3 / width));
    const subject = { class: 'motorbike', on: new Date('2026-11-22T00:00:00Z') } as const;
    const look = await read({ data, width, height, channels: 3 });
    expect(look.characters).toEqual([]);
    expect(
      votePlate(
        Array.from({ length: 8 }, () => look),
        subject,
      ).state,
    ).toBe('unreadable');
  });

  it('refuses a file that is no network, and one that is no reader of plates', async () => {
    const open = (bytes: Uint8Array) =>
      PlateReader.open([aVerifiedNetwork('plate-reader-vn', {}, bytes)], 1, { isTried: true });
    await expect(open(new Uint8Array(64))).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    const { bytes: lamps } = aVerifiedNetwork('lamp-state');
    await expect(open(lamps)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });

  const picture = { name: 'input', dtype: 'uint8', shape: ['batch', 64, 128, 3] } as const;
  it.each<[string, Partial<ModelManifest>, string]>([
    ['of another opset', { runtime: { kind: 'onnx', opset: 11 } }, 'opset 11 expected, found 15'],
    ['of another task', { task: 'helmet' }, 'it is a helmet, no plate-reader'],
    [
      'whose outputs differ',
      { outputs: [{ name: 'plate', dtype: 'float32', shape: [1, 7, 37] }] },
      '"plate"',
    ],
    ['whose input differs', { inputs: [{ ...picture, shape: ['batch', 48, 96, 3] }] }, '"input"'],
    ['with other decoding', { decoding: { format: 'yunet', strides: [8] } }, 'decodes yunet'],
    [
      'that would be read by lines',
      { decoding: { format: 'ctc', alphabet: ['a', 'b'], blankIndex: 0 } },
      'characters',
    ],
    [
      'of other characters',
      { decoding: { format: 'character-slots', alphabet: [...'0123456789'], slots: 10 } },
      'characters',
    ],
  ])('refuses a model %s', async (_, changes, why) => {
    const opening = PlateReader.open([aVerifiedNetwork('plate-reader-vn', changes)], 1);
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow(why);
  });
});
