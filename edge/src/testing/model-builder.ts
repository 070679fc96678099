import { encodeOnnx } from './onnx-writer.ts';

/** Networks that only hand their input on: enough to have the tensors of a model, or to lack them. */
export interface NetworkShape {
  readonly input: string;
  readonly output: string;
  readonly shape: readonly number[];
}

/** An ONNX model that hands on its input: IR version 8, operators 17. */
export function anOnnxModel({ input, output, shape }: NetworkShape): Uint8Array {
  return encodeOnnx({
    inputs: [{ name: input, shape }],
    outputs: [{ name: output, shape }],
    nodes: [{ type: 'Identity', inputs: [input], outputs: [output] }],
  });
}
