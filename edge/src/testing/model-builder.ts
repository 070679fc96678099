import { encodeOnnx } from './onnx-writer.ts';

/** Networks that only hand their input on: enough to have the tensors of a model, or to lack them. */
export interface NetworkShape {
  readonly input: string;
  readonly output: string;
  readonly shape: readonly number[];
}

/** A TensorFlow.js graph model as its `.json` is parsed. */
export function aTfjsModel(network: NetworkShape, parts: Readonly<Record<string, unknown>> = {}): object {
  const dim = network.shape.map((size) => ({ size: String(size) }));
  const type = { type: 'DT_FLOAT' };
  return {
    format: 'graph-model',
    modelTopology: {
      node: [
        { name: network.input, op: 'Placeholder', attr: { dtype: type, shape: { shape: { dim } } } },
        { name: network.output, op: 'Identity', input: [network.input], attr: { T: type } },
      ],
      versions: { producer: 1 },
    },
    weightsManifest: [{ paths: ['weights.bin'], weights: [] }],
    ...parts,
  };
}

/** An ONNX model that hands on its input: IR version 8, operators 17. */
export function anOnnxModel({ input, output, shape }: NetworkShape): Uint8Array {
  return encodeOnnx({
    inputs: [{ name: input, shape }],
    outputs: [{ name: output, shape }],
    nodes: [{ type: 'Identity', inputs: [input], outputs: [output] }],
  });
}
