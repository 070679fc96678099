import { describe, expect, it } from 'vitest';
import { toJudgedLabel } from './detector-classes.ts';

describe('toJudgedLabel', () => {
  it.each([
    ['MOTORBIKE', 'motorbike'],
    ['TRAFFIC_LIGHT', 'traffic-light'],
    ['traffic-light', 'traffic-light'],
    ['Traffic  Light ', 'traffic-light'],
    ['lisence_plate', 'plate'],
    ['License-Plate', 'plate'],
    ['Pedestrian', 'person'],
    // the same word with its accents as separate signs
    ['xe ma\u0301y', 'motorbike'],
  ])('takes %s for %s', (name, label) => {
    expect(toJudgedLabel(name)).toBe(label);
  });

  it('does not guess', () => {
    expect(toJudgedLabel('carriage')).toBeUndefined();
    expect(toJudgedLabel('')).toBeUndefined();
  });
});
