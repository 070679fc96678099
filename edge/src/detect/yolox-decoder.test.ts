import { describe, expect, it } from 'vitest';
import type { RoadPart } from './detection.ts';
import type { RoadLabel } from './road-class.ts';
import { computeYoloxShape, YoloxDecoder, type YoloxForm } from './yolox-decoder.ts';

const INPUT = { inputWidth: 64, inputHeight: 32 };
/** COCO: 80 classes, of which six are looked at. */
const COCO: YoloxForm = aForm(80, {
  0: 'person',
  1: 'bicycle',
  2: 'car',
  3: 'motorbike',
  5: 'bus',
  7: 'truck',
});
const UNSCALED = {
  ...INPUT,
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

function aForm(classCount: number, labels: Record<number, RoadLabel>): YoloxForm {
  const classes = Object.entries(labels).map(([index, label]) => ({
    index: Number(index),
    label,
    minConfidence: 0.1,
  }));
  return { classCount, strides: [8, 16, 32], classes };
}

/** The output that would stand for these cells, encoded as section 2.1 of the YOLOX paper has it. */
function encode(cells: readonly Cell[], form = COCO): Float32Array {
  const [, rows, length] = computeYoloxShape(form, INPUT.inputWidth, INPUT.inputHeight);
  const output = new Float32Array(rows * length);
  const firstRow: Record<number, number> = { 8: 0, 16: 32, 32: 40 };
  for (const { stride, gx, gy, box, objectness, classes } of cells) {
    const row = ((firstRow[stride] ?? 0) + gy * (INPUT.inputWidth / stride) + gx) * length;
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
    expect(computeYoloxShape(COCO, 416, 416)).toEqual([1, 3549, 85]);
    expect(computeYoloxShape(aForm(8, {}), 64, 32)).toEqual([1, 42, 13]);
  });

  it('finds boxes of every stride in source pixels, the most confident class of those that are looked at', () => {
    const output = encode([
      { stride: 8, gx: 7, gy: 3, box: [56, 24, 8, 12], objectness: 0.5, classes: { 0: 0.5, 9: 1 } },
      { stride: 16, gx: 1, gy: 1, box: [20, 16, 10, 20], objectness: 0.5, classes: { 2: 0.5, 7: 1 } },
      { stride: 32, gx: 1, gy: 0, box: [40, 16, 6, 6], objectness: 1, classes: { 3: 0.75 } },
    ]);
    const found = new YoloxDecoder(COCO).decode(output, {
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
    expect(new YoloxDecoder(COCO).decode(output, UNSCALED)).toEqual([]);
  });

  it.each([1, 2, 8, 80, 365])('decodes %i classes, and no class that is not named', (classCount) => {
    const last = classCount - 1;
    const form = aForm(classCount, { [last]: 'bus' });
    const cell = { stride: 8, gy: 0, objectness: 1 };
    const output = encode(
      [
        { ...cell, gx: 0, box: [8, 8, 8, 8], classes: { [last]: 0.5 } },
        ...(last === 0 ? [] : [{ ...cell, gx: 3, box: [28, 8, 8, 8], classes: { 0: 0.9 } } satisfies Cell]),
      ],
      form,
    );
    const found = new YoloxDecoder(form).decode(output, UNSCALED);
    expect(found.map(({ label, confidence }) => [label, confidence])).toEqual([['bus', 0.5]]);
  });

  it('keeps traffic lights and plates apart from what is followed, each from its own confidence on', () => {
    const form: YoloxForm = {
      classCount: 8,
      strides: [8, 16, 32],
      classes: [
        { index: 3, label: 'motorbike', minConfidence: 0.1 },
        { index: 6, label: 'traffic-light', minConfidence: 0.5 },
        { index: 7, label: 'plate', minConfidence: 0.05 },
      ],
    };
    const cell = { stride: 8, objectness: 1 };
    const output = encode(
      [
        { ...cell, gx: 0, gy: 0, box: [8, 8, 8, 8], classes: { 3: 0.75 } },
        { ...cell, gx: 1, gy: 0, box: [10, 8, 8, 8], classes: { 7: 0.0625 } },
        { ...cell, gx: 5, gy: 0, box: [44, 8, 8, 8], classes: { 6: 0.45 } },
        { ...cell, gx: 5, gy: 2, box: [44, 24, 8, 8], classes: { 6: 0.5, 3: 0.25 } },
        { ...cell, gx: 2, gy: 3, box: [20, 26, 8, 8], classes: { 3: 0.0625 } },
      ],
      form,
    );
    const parts: RoadPart[] = [];
    const decoder = new YoloxDecoder(form);
    expect(decoder.decode(output, UNSCALED, parts).map(({ label }) => label)).toEqual(['motorbike']);
    expect(parts.map(({ label, confidence }) => [label, confidence])).toEqual([
      ['traffic-light', 0.5],
      ['plate', 0.0625],
    ]);
    expect(decoder.decode(output, UNSCALED)).toHaveLength(1);
  });
});
