import { describe, expect, it } from 'vitest';
import { aDetection } from '../testing/builder.ts';
import { dropLookalikes } from './lookalike.ts';

const SIGN = { box: [100, 100, 120, 140] as [number, number, number, number] };
const person = (x: number) =>
  aDetection({ label: 'person', confidence: 0.8, box: [100 + x, 100, 120 + x, 140] });

describe('dropLookalikes', () => {
  it('takes a finding with the box of the thing for the thing, a few pixels beside too', () => {
    expect(dropLookalikes([person(0), person(3), person(12)], [SIGN])).toEqual([person(12)]);
  });

  it('leaves whoever is larger or smaller at the same place', () => {
    const near = aDetection({ label: 'person', box: [95, 80, 128, 160] });
    const far = aDetection({ label: 'person', box: [104, 115, 114, 140] });
    expect(dropLookalikes([near, far], [SIGN])).toEqual([near, far]);
  });

  it('looks at the labels only that the scene names', () => {
    const bike = aDetection({ label: 'motorbike', box: SIGN.box });
    expect(dropLookalikes([bike, person(0)], [{ ...SIGN, labels: ['person'] }])).toEqual([bike]);
    expect(dropLookalikes([bike, person(0)], [{ ...SIGN, labels: ['person', 'motorbike'] }])).toEqual([]);
    expect(dropLookalikes([bike, person(0)], [SIGN])).toEqual([]);
  });

  it('gives all back where a scene names no thing', () => {
    const all = [person(0)];
    expect(dropLookalikes(all)).toBe(all);
  });
});
