import { describe, expect, it } from 'vitest';
import type { Frame } from '../frame/frame.ts';
import type { FaceFinding } from '../mask/face-decoder.ts';
import { findEyes } from './gate-eyes.ts';

const FRAME: Frame = {
  ...{ session: 's', index: 7, mediaTimeMs: 1_000, capturedAtMs: 5_000, clockErrorMs: 2 },
  ...{ width: 640, height: 360, sourceWidth: 1_920, sourceHeight: 1_080 },
  ...{ pixels: new Uint8Array(), lamps: [] },
};
const LANDMARKS = [
  [300, 150],
  [340, 152],
  [320, 170],
  [305, 190],
  [336, 191],
] as const;
const aFace = (change: Partial<FaceFinding> = {}): FaceFinding => ({
  ...{ box: [280, 120, 360, 220], confidence: 0.9, landmarks: LANDMARKS, ...change },
});

describe('the eyes of the person before a gate', () => {
  it('are told in source pixels, at the instant of the picture', () => {
    expect(findEyes([aFace()], FRAME)).toEqual({ atMs: 5_000, leftEye: [900, 450], rightEye: [1_020, 456] });
  });

  it.each<[string, FaceFinding[]]>([
    ['there is nobody', []],
    ['a second face is in the picture', [aFace(), aFace({ confidence: 0.55 })]],
    ['the face is not sure', [aFace({ confidence: 0.6 })]],
    ['the network tells no eyes', [{ box: [280, 120, 360, 220], confidence: 0.9 }]],
  ])('are not told where %s', (_, found) => {
    expect(findEyes(found, FRAME)).toBeUndefined();
  });
});
