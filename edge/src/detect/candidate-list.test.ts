import { describe, expect, it } from 'vitest';
import { CandidateList } from './candidate-list.ts';

function aList(): CandidateList {
  const list = new CandidateList();
  list.begin(640, 480);
  return list;
}

describe('CandidateList', () => {
  it('keeps the more confident of two boxes of one group and tells the labels of a group apart from another', () => {
    const list = aList();
    list.add('car', 0.5, 100, 100, 200, 200);
    list.add('truck', 0.75, 104, 100, 204, 200);
    list.add('person', 0.25, 100, 100, 200, 200);
    expect(list.suppress(0.45)).toEqual([
      { label: 'truck', confidence: 0.75, box: [104, 100, 204, 200] },
      { label: 'person', confidence: 0.25, box: [100, 100, 200, 200] },
    ]);
  });

  it('keeps a rider and the motorbike below', () => {
    const list = aList();
    list.add('person', 0.75, 100, 100, 140, 180);
    list.add('motorbike', 0.5, 98, 110, 142, 190);
    expect(list.suppress(0.45).map(({ label }) => label)).toEqual(['person', 'motorbike']);
  });

  it.each([
    [0.45, 1],
    [0.55, 2],
  ])('suppresses above an IoU of %f only', (maxIou, kept) => {
    const list = aList();
    list.add('car', 0.75, 0, 0, 100, 100);
    list.add('car', 0.5, 0, 0, 100, 50); // IoU 0.5
    expect(list.suppress(maxIou)).toHaveLength(kept);
  });

  it.each([
    ['the cab of a lorry', 'car', [140, 135, 195, 201], 1],
    ['somebody behind who ends higher', 'car', [140, 110, 195, 170], 2],
    ['somebody beside who sticks out', 'car', [185, 150, 240, 198], 2],
    ['a motorbike before it', 'motorbike', [140, 135, 160, 201], 2],
  ] as const)('takes a part of a closed vehicle for no vehicle: %s', (_, label, [x1, y1, x2, y2], kept) => {
    const list = aList();
    list.add('truck', 0.8, 100, 100, 200, 200);
    list.add(label, 0.6, x1, y1, x2, y2);
    expect(list.suppress(0.45)).toHaveLength(kept);
  });

  it('keeps a vehicle around a surer box: that may be the part', () => {
    const list = aList();
    list.add('truck', 0.6, 100, 100, 200, 200);
    list.add('car', 0.8, 140, 135, 195, 201);
    expect(list.suppress(0.45)).toHaveLength(2);
  });

  it('does not let a suppressed box suppress', () => {
    const list = aList();
    list.add('car', 0.9, 0, 0, 100, 100);
    list.add('car', 0.8, 30, 0, 130, 100); // hidden by the first
    list.add('car', 0.7, 60, 0, 160, 100); // overlaps the second, not the first
    expect(list.suppress(0.45).map(({ box }) => box[0])).toEqual([0, 60]);
  });

  it('orders equal confidences as they came', () => {
    const list = aList();
    list.add('car', 0.5, 300, 0, 340, 40);
    list.add('car', 0.5, 100, 0, 140, 40);
    expect(list.suppress(0.45).map(({ box }) => box[0])).toEqual([300, 100]);
  });

  it('cuts boxes to the picture and leaves out what lies outside it or is no number', () => {
    const list = aList();
    list.add('car', 1.5, -20, -10, 50, 500);
    list.add('car', 0.5, 700, 100, 800, 200);
    list.add('car', 0.5, 10, 100, 10.5, 200);
    list.add('car', 0.5, Number.NaN, 100, 50, 200);
    list.add('car', 0.5, 10, 100, 50, Number.NaN);
    expect(list.suppress(0.45)).toEqual([{ label: 'car', confidence: 1, box: [0, 0, 50, 480] }]);
  });

  it('begins anew for every picture', () => {
    const list = aList();
    list.add('car', 0.5, 0, 0, 600, 400);
    list.begin(320, 240);
    list.add('bus', 0.5, 0, 0, 600, 400);
    expect(list.suppress(0.45)).toEqual([{ label: 'bus', confidence: 0.5, box: [0, 0, 320, 240] }]);
  });

  it('holds a bounded number of boxes against one another, the surest wherever they stand', () => {
    const list = aList();
    for (let i = 0; i < 2000; i++) {
      const [left, top] = [(i % 60) * 10, Math.floor(i / 60) * 10];
      list.add('car', 0.1 + i / 4000, left, top, left + 8, top + 8);
    }
    const found = list.suppress(0.45);
    expect(found).toHaveLength(1024);
    expect(found[0]?.confidence).toBeCloseTo(0.1 + 1999 / 4000, 5);
    expect(found.at(-1)?.confidence).toBeCloseTo(0.1 + (2000 - 1024) / 4000, 5);
  });
});
