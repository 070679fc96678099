/** A tensor that goes into the graph or comes out of it: float32 unless told otherwise. */
export interface WrittenTensor {
  readonly name: string;
  /** Lengths; a name for an axis that is free, 0 for one that is free without a name. */
  readonly shape: readonly (number | string)[];
  /** Number of `TensorProto.DataType`; 1 is float32. */
  readonly dataType?: number;
}

export interface WrittenNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers and lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** Weights: float32, or int64 where `dataType` is 7. */
export interface WrittenWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly dataType?: 1 | 7;
  /** Says that the values lie in this file instead. */
  readonly outsideFile?: string;
}

export interface WrittenModel {
  readonly inputs: readonly WrittenTensor[];
  readonly outputs: readonly WrittenTensor[];
  readonly nodes: readonly WrittenNode[];
  readonly weights?: readonly WrittenWeight[];
  /** 17 by default. */
  readonly opset?: number;
}

/** Encodes an ONNX file of IR version 8 by the field numbers of onnx.proto. */
export function encodeOnnx({ inputs, outputs, nodes, weights = [], opset = 17 }: WrittenModel): Uint8Array {
  const graph = [
    ...nodes.map((node) => field(1, encodeNode(node))),
    text(2, 'graph'),
    ...weights.map((weight) => field(5, encodeWeight(weight))),
    ...inputs.map((tensor) => field(11, encodeTensor(tensor))),
    ...outputs.map((tensor) => field(12, encodeTensor(tensor))),
  ];
  return join(varint(1, 8), field(7, ...graph), field(8, varint(2, opset)));
}

function encodeTensor({ name, shape, dataType = 1 }: WrittenTensor): Uint8Array {
  const dims = shape.map((size) => field(1, typeof size === 'number' ? varint(1, size) : text(2, size)));
  return join(text(1, name), field(2, field(1, varint(1, dataType), field(2, ...dims))));
}

function encodeNode({ type, inputs, outputs, attributes = {} }: WrittenNode): Uint8Array {
  const encoded = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? field(5, text(1, name), varint(3, value), varint(20, 2))
      : field(5, text(1, name), ...value.map((each) => varint(8, each)), varint(20, 7)),
  );
  return join(
    ...inputs.map((name) => text(1, name)),
    ...outputs.map((name) => text(2, name)),
    text(4, type),
    ...encoded,
  );
}

function encodeWeight({ name, shape, values, dataType = 1, outsideFile }: WrittenWeight): Uint8Array {
  const raw =
    dataType === 1 ? Float32Array.from(values) : BigInt64Array.from(values.map((value) => BigInt(value)));
  const content =
    outsideFile === undefined
      ? [field(9, new Uint8Array(raw.buffer))]
      : [field(13, text(1, 'location'), text(2, outsideFile)), varint(14, 1)];
  return join(...shape.map((size) => varint(1, size)), varint(2, dataType), text(8, name), ...content);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function encodeVarint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...encodeVarint(Math.floor(value / 128))];
}

function varint(number: number, value: number): Uint8Array {
  return Uint8Array.from([...encodeVarint(number * 8), ...encodeVarint(value)]);
}

function field(number: number, ...content: readonly Uint8Array[]): Uint8Array {
  const bytes = join(...content);
  return join(Uint8Array.from([...encodeVarint(number * 8 + 2), ...encodeVarint(bytes.length)]), bytes);
}

function text(number: number, content: string): Uint8Array {
  return field(number, new TextEncoder().encode(content));
}
