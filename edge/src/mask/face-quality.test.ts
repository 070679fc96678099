import { describe, expect, it } from 'vitest';
import type { Point } from '../geometry/box.ts';
import type { FaceFinding } from './face-decoder.ts';
import type { BgrPicture } from './face-picture.ts';
import { assessFace, DEFAULT_QUALITY_LIMITS, measureSharpness } from './face-quality.ts';

const SIDE = 96;

/** A disc with eyes and a mouth, drawn with edges so many pixels soft. */
function aFace(softPx: number): BgrPicture {
  const pixels = new Uint8Array(SIDE * SIDE * 3);
  const step = (distance: number): number => 1 / (1 + Math.exp(distance / Math.max(0.2, softPx)));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const far = (cx: number, cy: number): number => Math.hypot(x - cx, y - cy);
      const face = 170 * step(far(48, 48) - 40);
      const dark = 130 * (step(far(34, 38) - 5) + step(far(62, 38) - 5) + step(far(48, 68) - 8));
      pixels.fill(Math.max(0, Math.round(face - dark)), (y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3);
    }
  }
  return { width: SIDE, height: SIDE, pixels };
}

const BOX = [8, 8, 88, 88] as const;
const finding = (nose: Point): FaceFinding => ({
  ...{ box: BOX, confidence: 0.9 },
  landmarks: [[34, 38], [62, 38], nose, [40, 68], [56, 68]],
});
const assess = (picture: BgrPicture, nose: Point, toSource = 1) =>
  assessFace(picture, finding(nose), { toSource, limits: DEFAULT_QUALITY_LIMITS });

describe('the quality of a face', () => {
  it('knows a clear face', async () => {
    const quality = await assess(aFace(0.5), [48, 52]);
    expect(quality).toMatchObject({ sizePx: 80, eyesPx: 28, turn: 0 });
    expect(quality.doubt).toBeUndefined();
  });

  it('sees less detail the softer the face is, and none in an even surface', async () => {
    const values = await Promise.all([0.5, 4, 9].map((soft) => measureSharpness(aFace(soft), BOX)));
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect((await assess(aFace(14), [48, 52])).doubt).toBe('blurred');
    const even = { ...aFace(1), pixels: new Uint8Array(SIDE * SIDE * 3).fill(128) };
    expect(await measureSharpness(even, BOX)).toBe(0);
  });

  it('sees a head that is turned away, and not one that is tilted', async () => {
    expect((await assess(aFace(0.5), [80, 52])).doubt).toBe('turned-away');
    const tilted: FaceFinding = {
      box: BOX,
      confidence: 0.9,
      landmarks: [
        [38, 34],
        [58, 54],
        [41, 51],
        [0, 0],
        [0, 0],
      ],
    };
    const quality = await assessFace(aFace(0.5), tilted, { toSource: 1, limits: DEFAULT_QUALITY_LIMITS });
    expect(quality.doubt).toBeUndefined();
  });

  it('measures in pixels of the source', async () => {
    expect(await assess(aFace(0.5), [48, 52], 0.05)).toMatchObject({ sizePx: 4, doubt: 'too-small' });
    expect(await assess(aFace(0.5), [48, 52], 2)).toMatchObject({ sizePx: 160 });
  });

  it('takes a face that sticks out of the picture', async () => {
    const out = { ...finding([10, 10]), box: [-30, -30, 50, 50] } as const;
    const quality = await assessFace(aFace(0.5), out, { toSource: 1, limits: DEFAULT_QUALITY_LIMITS });
    expect(quality.sizePx).toBe(80);
  });
});
