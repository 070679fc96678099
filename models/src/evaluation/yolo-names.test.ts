import { describe, expect, it } from 'vitest';
import { parseClassList, parseYoloYamlNames } from './yolo-names.ts';

describe('parseYoloYamlNames', () => {
  it.each([
    ['block list', "nc: 2\nnames:\n- CAR\n- 'BUS'\ntrain: x\n", ['CAR', 'BUS']],
    ['indented list', 'names:\n  - CAR # a comment\n  - BUS\n\nroboflow:\n  - x\n', ['CAR', 'BUS']],
    ['block mapping in any order', "names:\n  1: BUS\n  0: 'CAR'\nval: x\n", ['CAR', 'BUS']],
    ['block mapping with a gap', 'names:\n  0: CAR\n  2: BUS\n', ['CAR', undefined, 'BUS']],
    ['flow list', 'names: [car, "bus"]\n', ['car', 'bus']],
    ['flow list over lines', 'names: [\n  car,\n  "a, b",\n]\nnc: 2', ['car', 'a, b']],
    ['flow mapping', 'names: {0: car, 1: "traffic light"}', ['car', 'traffic light']],
    ['windows line ends', 'nc: 2\r\nnames:\r\n- CAR\r\n- BUS\r\n', ['CAR', 'BUS']],
    ['no names', 'nc: 2\n', []],
  ])('reads a %s', (_, text, names) => {
    expect(parseYoloYamlNames(text)).toEqual(names);
  });
});

describe('parseClassList', () => {
  it('keeps the place of an empty line, and drops those at the end', () => {
    expect(parseClassList('\ufeffcar\r\n\r\nbus\r\n\r\n')).toEqual(['car', undefined, 'bus']);
  });
});
