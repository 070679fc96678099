import { describe, expect, it } from 'vitest';
import { computeYoloxRows, YOLOX_ROW_LENGTH, YoloxDecoder } from './yolox-decoder.ts';

const INPUT = { inputWidth: 64, inputHeight: 32 };
const UNSCALED = {
  ...INPUT,
  minConfidence: 0.1,
  maxIou: 0.45,
  scaleX: 1,
  scaleY: 1,
  sourceWidth: 64,
  sourceHeight: 32,
};

interface Cell {
  stride: number;
  gx: number;
  gy: number;
  /** cx, cy, w, h in input pixels. */
  box: [number, number, number, number];
  objectness: number;
  classes: Record<number, number>;
}

/** The output that would stand for these cells, encoded as section 2.1 of the YOLOX paper has it. */
function encode(cells: readonly Cell[]): Float32Array {
  const output = new Float32Array(computeYoloxRows(INPUT.inputWidth, INPUT.inputHeight) * YOLOX_ROW_LENGTH);
  const firstRow: Record<number, number> = { 8: 0, 16: 32, 32: 40 };
  for (const { stride, gx, gy, box, objectness, classes } of cells) {
    const row = ((firstRow[stride] ?? 0) + gy * (INPUT.inputWidth / stride) + gx) * YOLOX_ROW_LENGTH;
    const [cx, cy, w, h] = box;
    output.set(
      [cx / stride - gx, cy / stride - gy, Math.log(w / stride), Math.log(h / stride), objectness],
      row,
    );
    for (const [index, confidence] of Object.entries(classes)) output[row + 5 + Number(index)] = confidence;
  }
  return output;
}

describe('YoloxDecoder', () => {
  it('counts the rows of an input', () => {
    expect(computeYoloxRows(416, 416)).toBe(3549);
    expect(computeYoloxRows(64, 32)).toBe(42);
  });

  it('finds boxes of every stride in source pixels, the most confident class of those that are looked at', () => {
    const output = encode([
      { stride: 8, gx: 7, gy: 3, box: [56, 24, 8, 12], objectness: 0.5, classes: { 0: 0.5, 9: 1 } },
      { stride: 16, gx: 1, gy: 1, box: [20, 16, 10, 20], objectness: 0.5, classes: { 2: 0.5, 7: 1 } },
      { stride: 32, gx: 1, gy: 0, box: [40, 16, 6, 6], objectness: 1, classes: { 3: 0.75 } },
    ]);
    const found = new YoloxDecoder().decode(output, {
      ...UNSCALED,
      scaleX: 2,
      scaleY: 3,
      sourceWidth: 128,
      sourceHeight: 96,
    });
    expect(found.map(({ label, confidence }) => [label, confidence])).toEqual([
      ['motorbike', 0.75],
      ['truck', 0.5],
      ['person', 0.25],
    ]);
    const expected = [
      [74, 39, 86, 57],
      [30, 18, 50, 78],
      [104, 54, 120, 90],
    ];
    found.forEach(({ box }, index) => {
      box.forEach((value, side) => {
        expect(value).toBeCloseTo(expected[index]?.[side] ?? Number.NaN, 3);
      });
    });
  });

  it('drops what is below the threshold, what is no road user and what is no number', () => {
    const output = encode([
      { stride: 8, gx: 0, gy: 0, box: [8, 8, 8, 8], objectness: 0.3, classes: { 0: 0.3 } },
      { stride: 8, gx: 3, gy: 0, box: [28, 8, 8, 8], objectness: 0.9, classes: { 9: 0.9 } },
      { stride: 8, gx: 5, gy: 0, box: [44, 8, 8, 8], objectness: Number.NaN, classes: { 0: 0.9 } },
      { stride: 8, gx: 5, gy: 2, box: [44, 20, Number.NaN, 8], objectness: 0.9, classes: { 0: 0.9 } },
    ]);
    expect(new YoloxDecoder().decode(output, UNSCALED)).toEqual([]);
  });
});
