import type { ModelManifest } from '@ngatu/contract';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { computeIou } from '../geometry/box.ts';
import { aVerifiedNetwork } from '../testing/carried-network.ts';
import { drawPlate } from '../testing/plate-picture.ts';
import { aYoloxManifest, aYoloxModel } from '../testing/yolox-model.ts';
import { PlateDetector } from './plate-detector.ts';

const NETWORK = { name: 'plates', classes: 2, size: { width: 64, height: 64 } };
const AS_DETECTOR: Partial<ModelManifest> = { task: 'plate-detector', labels: { 1: 'plate' } };
const OPTIONS = { minConfidence: 0.5, isTried: true };
const { outputs } = aYoloxManifest(NETWORK);

function aModel(changes: Partial<ModelManifest> = {}, bytes: Uint8Array = aYoloxModel(NETWORK)) {
  return { manifest: aYoloxManifest(NETWORK, { ...AS_DETECTOR, ...changes }), sha256: '0'.repeat(64), bytes };
}

/** The network sees an object in blue, class 0 in green and class 1 in red. */
function paint(red: number, green: number, blue: number) {
  const [width, height] = [64, 64];
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at += 3) data.set([red, green, blue], at);
  return { data, width, height, channels: 3 as const };
}

const WHOLE = [0, 0, 64, 64] as const;

describe('the finder of plates', () => {
  it('finds what the manifest labels as a plate, and nothing else', async () => {
    const second = await PlateDetector.open(aModel(), 1, OPTIONS);
    expect(await second.find(paint(255, 0, 255), WHOLE)).not.toEqual([]);
    expect(await second.find(paint(0, 255, 255), WHOLE)).toEqual([]);
    await second.close();
    const first = await PlateDetector.open(aModel({ labels: { 0: 'plate', 1: 'car' } }), 1, OPTIONS);
    expect(await first.find(paint(255, 0, 255), WHOLE)).toEqual([]);
    const [found] = await first.find(paint(0, 255, 255), WHOLE);
    expect(found?.confidence).toBeGreaterThan(0.9);
    await first.close();
  });

  it('takes the colours in the order of the manifest', async () => {
    const { preprocessing } = aYoloxManifest(NETWORK);
    const model = aModel({ preprocessing: { ...preprocessing, colourOrder: 'rgb' } });
    const detector = await PlateDetector.open(model, 1, OPTIONS);
    expect(await detector.find(paint(255, 0, 255), WHOLE)).not.toEqual([]);
    expect(await detector.find(paint(0, 0, 255), WHOLE)).toEqual([]);
    await detector.close();
  });

  it.each<[string, Partial<ModelManifest>, string]>([
    ['of another opset', { runtime: { kind: 'onnx', opset: 9 } }, 'opset 9 expected, found 11'],
    ['of another task', { task: 'plate-reader' }, 'it is a plate-reader, no plate-detector'],
    ['without a class of plates', { labels: { 0: 'car' } }, 'no class "plate"'],
    ['whose plates lie beyond its classes', { labels: { 7: 'plate' } }, 'no class "plate"'],
    ['that nobody decodes', { decoding: { format: 'aizoo' } }, 'decodes aizoo'],
    [
      'whose output differs',
      { outputs: [{ ...outputs[0], name: 'boxes' } as (typeof outputs)[0]] },
      '"boxes"',
    ],
    [
      'of another number of classes',
      { decoding: { format: 'yolox', classes: 3, strides: [8, 16, 32] } },
      'output [1, 84, 8] expected, found [1, 84, 7]',
    ],
  ])('refuses a model %s', async (_, changes, why) => {
    const opening = PlateDetector.open(aModel(changes), 1, OPTIONS);
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow(why);
  });

  it('refuses half a file, and one whose size differs', async () => {
    const half = aModel({}, aYoloxModel(NETWORK).subarray(0, 300));
    await expect(PlateDetector.open(half, 1, OPTIONS)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    const other = aModel({}, aYoloxModel({ ...NETWORK, size: { width: 96, height: 96 } }));
    await expect(PlateDetector.open(other, 1, OPTIONS)).rejects.toThrow(/\[1, 3, 64, 64\] expected/);
  });

  it.each([
    [['71F-047.14'], 66 / 300],
    [['14-H1', '270.47'], 220 / 300],
  ])('finds the plate %j from a tenth of the picture to four fifths of it', async (lines, aspect) => {
    const detector = await PlateDetector.open(aVerifiedNetwork('plates-nano'), 1, { minConfidence: 0.3 });
    const drawn = await drawPlate(lines);
    const [width, height] = [400, 320];
    for (const plateWidth of [40, 90, 180, 320]) {
      const size = { width: plateWidth, height: Math.round(plateWidth * aspect) };
      const place = { left: (width - size.width) >> 1, top: (height - size.height) >> 1 };
      const plate = await sharp(drawn.data, { raw: { ...drawn, channels: 3 } })
        .resize({ ...size, fit: 'fill' })
        .png()
        .toBuffer();
      const background = { r: 60, g: 62, b: 66 };
      const data = await sharp({ create: { width, height, channels: 3, background } })
        .composite([{ input: plate, ...place }])
        .removeAlpha()
        .raw()
        .toBuffer();
      const [found] = await detector.find({ data, width, height, channels: 3 }, [0, 0, width, height]);
      const { left, top } = place;
      const truth = [left, top, left + size.width, top + size.height] as const;
      expect(computeIou(found?.box ?? [0, 0, 0, 0], truth), `${plateWidth} px wide`).toBeGreaterThan(0.5);
    }
    await detector.close();
  });
});
