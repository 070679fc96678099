import { describe, expect, it } from 'vitest';
import type { Detection } from '../detect/detection.ts';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import { fuseRiders } from '../track/rider-fusion.ts';
import { lookAtHeads } from './rider-heads.ts';

/** Analysed at half of the size that the camera sent. */
const PICTURE: Frame = {
  ...{ session: 's', index: 0, mediaTimeMs: 0, capturedAtMs: 0, clockErrorMs: 0 },
  ...{ width: 640, height: 360, pixels: new Uint8Array(), sourceWidth: 1280, sourceHeight: 720, lamps: [] },
};
const RIDER: Box = [400, 200, 480, 400];
const MOTORBIKE: Box = [390, 300, 490, 460];

const found = (label: Detection['label'], box: Box, confidence = 0.8): Detection => ({
  label,
  box,
  confidence,
});

async function look(detections: readonly Detection[]) {
  const asked: Box[] = [];
  const heads = await lookAtHeads(PICTURE, fuseRiders(detections), {
    read: async (_, box) => {
      asked.push(box);
      return { state: 'bare', confidence: 0.9 };
    },
  });
  return { heads, asked };
}

describe('lookAtHeads', () => {
  it('reads the head of a rider in the pixels of the picture, and tells it in those of the camera', async () => {
    const rider = found('person', RIDER);
    const { heads, asked } = await look([rider, found('motorbike', MOTORBIKE)]);
    const [x1 = 0, y1, x2 = 0, y2] = asked[0] ?? [];
    expect([(x1 + x2) / 2, y1, y2]).toEqual([220, 100, 122]);
    expect(heads.get(rider.box)).toMatchObject({
      state: 'bare',
      box: [expect.any(Number), 200, expect.any(Number), 244],
    });
  });

  it.each<[string, Detection[]]>([
    ['of who walks', [found('person', RIDER)]],
    ['of who is hardly seen', [found('person', RIDER, 0.3), found('motorbike', MOTORBIKE)]],
    ['of few pixels', [found('person', [400, 300, 430, 380]), found('motorbike', [395, 340, 435, 400])]],
    [
      'that lies behind somebody else',
      [found('person', RIDER), found('motorbike', MOTORBIKE), found('person', [395, 180, 470, 600])],
    ],
  ])('reads none %s', async (_, detections) => {
    expect((await look(detections)).asked).toEqual([]);
  });
});
