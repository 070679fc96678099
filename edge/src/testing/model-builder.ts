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

/** An ONNX model, encoded by the field numbers of onnx.proto (IR version 8, operators 17). */
export function anOnnxModel({ input, output, shape }: NetworkShape): Uint8Array {
  const valueInfo = (name: string): Uint8Array => {
    const dims = shape.map((size) => field(1, varint(1, size)));
    const tensorType = [varint(1, 1), field(2, ...dims)];
    return join(text(1, name), field(2, field(1, ...tensorType)));
  };
  const node = join(text(1, input), text(2, output), text(4, 'Identity'));
  const graph = [field(1, node), text(2, 'graph'), field(11, valueInfo(input)), field(12, valueInfo(output))];
  return join(varint(1, 8), field(7, ...graph), field(8, varint(2, 17)));
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function encodeVarint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...encodeVarint(Math.floor(value / 128))];
}

function varint(number: number, value: number): Uint8Array {
  return Uint8Array.from([number * 8, ...encodeVarint(value)]);
}

function field(number: number, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = join(...content);
  return join(Uint8Array.from([number * 8 + 2, ...encodeVarint(bytes.length)]), bytes);
}

function text(number: number, content: string): Uint8Array {
  return field(number, new TextEncoder().encode(content));
}
