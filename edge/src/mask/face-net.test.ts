import { describe, expect, it } from 'vitest';
import type { VerifiedNetwork } from '../model/model-file.ts';
import { aFaceNetwork, FACE_NETWORK_FAULTS } from '../testing/face-network.ts';
import { aYoloxManifest, aYoloxModel } from '../testing/yolox-model.ts';
import { openFaceNet } from './face-net.ts';

describe('a finder of faces', () => {
  it('opens a network that is as its manifest says, after a trial of its own', async () => {
    const net = await openFaceNet(aFaceNetwork(), true);
    const black = { pixels: new Uint8Array(64 * 48 * 3), width: 64, height: 48 };
    expect(await net.find(black, { minConfidence: 0.5 })).toEqual([]);
    expect(net.label).toBe('faces@abababab');
    await net.close();
  });

  it.each(FACE_NETWORK_FAULTS)('refuses a network %s', async (_, changes, why) => {
    const opening = openFaceNet(aFaceNetwork(changes));
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow(why);
  });

  it('refuses a network whose manifest holds, and whose tensors are not those of its format', async () => {
    const opening = openFaceNet(aFaceNetwork({ task: 'mask-classifier', decoding: { format: 'rfb' } }));
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow('outputs "scores", "boxes" expected');
  });
});

/** Finds a face of 32 px wherever the picture is blue for so long: a masked one where it is green, too, a bare one where it is red. */
function aMaskFinder(
  labels: Readonly<Record<string, string>> = { 0: 'mask', 1: 'no-mask' },
): VerifiedNetwork {
  const manifest = aYoloxManifest({ classes: 2, name: 'faces' }, { task: 'mask-classifier', labels });
  return { manifest, sha256: 'cd'.repeat(32), bytes: aYoloxModel({ classes: 2 }) };
}

describe('a finder of faces that takes pictures of any size', () => {
  it('tells masks, in pixels of the picture, which it looks at 800 px wide', async () => {
    const net = await openFaceNet(aMaskFinder());
    // 400 × 96 px are 800 × 192: a cell of 32 px there is 16 px here
    const [width, height] = [400, 96];
    const pixels = new Uint8Array(width * height * 3);
    const paint = (left: number, top: number, colour: readonly number[]): void => {
      for (let y = top; y < top + 16; y++)
        for (let x = left; x < left + 16; x++) pixels.set(colour, (y * width + x) * 3);
    };
    paint(16, 32, [255, 255, 0]);
    paint(320, 0, [255, 0, 255]);
    const faces = await net.find({ width, height, pixels }, { minConfidence: 0.8 });
    await net.close();
    const near = (x: number, y: number) =>
      faces.filter(({ box }) => box[0] >= x - 2 && box[2] <= x + 18 && box[1] >= y - 2 && box[3] <= y + 18);
    expect(near(16, 32).length).toBeGreaterThan(0);
    expect(near(320, 0).length).toBeGreaterThan(0);
    expect(near(16, 32).length + near(320, 0).length).toBe(faces.length);
    expect(near(16, 32).every(({ maskLogit }) => (maskLogit ?? 0) > 3)).toBe(true);
    expect(near(320, 0).every(({ maskLogit }) => (maskLogit ?? 0) < -3)).toBe(true);
  });

  it('refuses a network whose classes are not those two', async () => {
    const opening = openFaceNet(aMaskFinder({ 0: 'no-mask', 1: 'mask' }));
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow('labels {"0":"mask","1":"no-mask"} expected');
  });
});
