import { describe, expect, it } from 'vitest';
import type { FaceNet } from './face-net.ts';
import { composeSight, FACE_SIGHTS, PRODUCT_SIGHT } from './open-sight.ts';

const aNet = (label: string): FaceNet => ({
  label,
  find: async () => [],
  close: async () => undefined,
});

describe('composeSight', () => {
  const names = FACE_SIGHTS[PRODUCT_SIGHT].assets;

  it('looks with as many networks as the sight names', async () => {
    const sight = composeSight(PRODUCT_SIGHT, names.map(aNet));
    for (const name of names) expect(sight.label).toContain(name);
    await sight.close();
  });

  it.each([0, 1, 2, 3, 5])('does not quietly look another way with %i', (count) => {
    const nets = Array.from({ length: count }, (_, i) => aNet(`net-${i}`));
    expect(() => composeSight(PRODUCT_SIGHT, nets)).toThrow(RangeError);
  });
});
