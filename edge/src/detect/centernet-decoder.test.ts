import { describe, expect, it } from 'vitest';
import { CenternetDecoder } from './centernet-decoder.ts';

const CLASSES = [
  { index: 0, label: 'person', minConfidence: 0.1 },
  { index: 2, label: 'car', minConfidence: 0.1 },
  { index: 5, label: 'bus', minConfidence: 0.1 },
  { index: 7, label: 'truck', minConfidence: 0.1 },
] as const;
const OPTIONS = {
  maxIou: 0.45,
  scaleX: 1.5,
  scaleY: 1.125,
  sourceWidth: 768,
  sourceHeight: 576,
};

function encode(rows: readonly (readonly number[])[]): Float32Array {
  const output = new Float32Array(100 * 6);
  rows.forEach((row, index) => {
    output.set(row, index * 6);
  });
  return output;
}

describe('CenternetDecoder', () => {
  it('gives road users in source pixels, most confident first', () => {
    const output = encode([
      [100, 200, 120, 280, 0.25, 0],
      [200, 100, 300, 180, 0.5, 2],
      [400, 400, 440, 440, 0.75, 9], // a traffic light
    ]);
    expect(new CenternetDecoder(CLASSES).decode(output, OPTIONS)).toEqual([
      { label: 'car', confidence: 0.5, box: [300, 112.5, 450, 202.5] },
      { label: 'person', confidence: 0.25, box: [150, 225, 180, 315] },
    ]);
  });

  it('suppresses one object found twice, also under two labels of a group', () => {
    const output = encode([
      [200, 100, 300, 180, 0.5, 2],
      [200, 100, 300, 180, 0.25, 7],
      [204, 100, 304, 180, 0.25, 2],
    ]);
    expect(new CenternetDecoder(CLASSES).decode(output, OPTIONS)).toHaveLength(1);
  });

  it('cuts boxes to the picture, drops what is below the threshold, of no class or no number', () => {
    const output = encode([
      [-30, -20, 600, 520, 0.5, 5],
      [10, 10, 50, 50, 0.05, 0],
      [10, 10, 50, 50, 0.9, 0.5],
      [10, 10, 50, 50, Number.NaN, 0],
      [Number.NaN, 10, 50, 50, 0.9, 0],
    ]);
    expect(new CenternetDecoder(CLASSES).decode(output, OPTIONS)).toEqual([
      { label: 'bus', confidence: 0.5, box: [0, 0, 768, 576] },
    ]);
  });
});
