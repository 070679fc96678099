import { describe, expect, it } from 'vitest';
import { aFaceNetwork, FACE_NETWORK_FAULTS } from '../testing/face-network.ts';
import { openFaceDetector } from './part-detector.ts';

const BLACK = { data: new Uint8Array(64 * 48 * 3), width: 64, height: 48, channels: 3 as const };

describe('a detector that blurs', () => {
  it('opens a network that is as its manifest says, after a trial of its own', async () => {
    const detector = await openFaceDetector(aFaceNetwork(), true);
    expect(detector.label).toBe('faces@abababab');
    expect(await detector.find(BLACK)).toEqual([]);
    await detector.close();
  });

  it.each(FACE_NETWORK_FAULTS)('refuses a network %s', async (_, changes, why) => {
    const opening = openFaceDetector(aFaceNetwork(changes));
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(opening).rejects.toThrow(why);
  });

  it('refuses what is no network', async () => {
    const rubbish = { ...aFaceNetwork(), bytes: new TextEncoder().encode('no network') };
    await expect(openFaceDetector(rubbish)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
