import { describe, expect, it } from 'vitest';
import { aVerifiedNetwork } from '../testing/carried-network.ts';
import { aFaceNetwork } from '../testing/face-network.ts';
import { drawPlate } from '../testing/plate-picture.ts';
import { openPlateParts } from './plate-parts.ts';

describe('the finder of plates that blurs', () => {
  it('finds a plate in the whole picture, and bears the name and digest of its network', async () => {
    const network = aVerifiedNetwork('plates-nano');
    const detector = await openPlateParts(network, true);
    expect(detector.label).toBe(`plates-nano@${network.sha256.slice(0, 8)}`);
    const found = await detector.find({ ...(await drawPlate(['14-H1', '270.47'])), channels: 3 });
    expect(found).not.toEqual([]);
    await detector.close();
  });

  it('refuses a finder of faces, and rows that it does not decode', async () => {
    await expect(openPlateParts(aFaceNetwork())).rejects.toThrow(/plates/);
    const { manifest, ...rest } = aFaceNetwork();
    const decoding = { format: 'boxes-after-nms' as const, columns: ['x1' as const] };
    const network = { ...rest, manifest: { ...manifest, task: 'plate-detector' as const, decoding } };
    await expect(openPlateParts(network)).rejects.toMatchObject({ code: 'MODEL_INVALID' });
    await expect(openPlateParts(network)).rejects.toThrow(/rows of batch, x1/);
  });
});
