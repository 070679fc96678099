import { describe, expect, it } from 'vitest';
import { aFaceNetwork, FACE_NETWORK_FAULTS } from '../testing/face-network.ts';
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
