import { describe, expect, it } from 'vitest';
import { anOnnxModel } from '../testing/model-builder.ts';
import { encodeOnnx } from '../testing/onnx-writer.ts';
import { aYoloxModel } from '../testing/yolox-model.ts';
import { readOnnxFacts } from './onnx-facts.ts';
import { checkOnnxFacts } from './onnx-session.ts';

describe('readOnnxFacts', () => {
  it('reads operators, inputs and outputs', () => {
    const facts = readOnnxFacts(aYoloxModel({ classes: 8, opset: 12 }));
    expect(facts).toEqual({
      opset: 12,
      inputs: [{ name: 'images', dtype: 'float32', shape: [1, 3, undefined, undefined] }],
      outputs: [{ name: 'output', dtype: 'float32', shape: [1, undefined, 13] }],
      nodes: 13,
      hasOutsideData: false,
    });
  });

  it('takes a length of 0 for a free axis, and knows other types', () => {
    const tensor = { name: 'x', shape: [0, 64, 128, 3], dataType: 2 };
    const { inputs } = readOnnxFacts(encodeOnnx({ inputs: [tensor], outputs: [], nodes: [] }));
    expect(inputs).toEqual([{ name: 'x', dtype: 'uint8', shape: [undefined, 64, 128, 3] }]);
  });

  it('does not take weights for inputs, as files of before 2018 list them', () => {
    const bytes = encodeOnnx({
      inputs: [
        { name: 'x', shape: [1] },
        { name: 'w', shape: [1] },
      ],
      outputs: [{ name: 'y', shape: [1] }],
      nodes: [{ type: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }],
      weights: [{ name: 'w', shape: [1], values: [2] }],
    });
    expect(readOnnxFacts(bytes).inputs.map(({ name }) => name)).toEqual(['x']);
  });

  it('refuses every file that ends too early, and never goes beyond it', () => {
    const whole = anOnnxModel({ input: 'a', output: 'b', shape: [1, 2] });
    for (let length = 0; length < whole.length; length++) {
      let facts: unknown;
      try {
        facts = readOnnxFacts(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        continue;
      }
      // cut between two fields of the outermost message: the operators are missing
      expect(facts).not.toHaveProperty('opset');
    }
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['a number without end', new Uint8Array(16).fill(0xff)],
    ['a length beyond the end', Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['a field of no type', Uint8Array.from([0x3b])],
    ['field 0', Uint8Array.from([0, 1])],
  ])('refuses %s', (_, bytes) => {
    expect(() => readOnnxFacts(bytes)).toThrow(RangeError);
  });
});

describe('checkOnnxFacts', () => {
  const facts = readOnnxFacts(aYoloxModel({ classes: 1 }));
  const input = { name: 'images', dtype: 'float32' } as const;
  const output = { name: 'output', dtype: 'float32' } as const;

  it('takes what fits, a free axis of the file for a fixed length too', () => {
    const fixed = { ...input, shape: [1, 3, 640, 640] };
    expect(() => checkOnnxFacts(facts, { inputs: [fixed], outputs: [output] })).not.toThrow();
    expect(() => checkOnnxFacts(facts, { opset: 11, inputs: [input], outputs: [] })).not.toThrow();
  });

  it.each([
    ['opset 9 expected, found 11', { opset: 9, inputs: [input], outputs: [output] }],
    ['inputs "images", "size" expected', { inputs: [input, { ...input, name: 'size' }], outputs: [] }],
    ['inputs none expected, found "images"', { inputs: [], outputs: [] }],
    [
      'outputs "boxes" expected, found "output"',
      { inputs: [input], outputs: [{ ...output, name: 'boxes' }] },
    ],
    ['"images" uint8 expected', { inputs: [{ ...input, dtype: 'uint8' as const }], outputs: [] }],
    ['"images" float32 [1, 3] expected', { inputs: [{ ...input, shape: [1, 3] }], outputs: [] }],
    ['"output" float32 [1, rows, 85]', { inputs: [input], outputs: [{ ...output, shape: [1, 'rows', 85] }] }],
  ])('refuses: %s', (message, expects) => {
    expect(() => checkOnnxFacts(facts, expects)).toThrow(message);
  });
});
