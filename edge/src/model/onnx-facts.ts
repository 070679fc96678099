import { listFields } from './protobuf-reader.ts';

/** A tensor that goes into a graph or comes out of it. */
export interface OnnxTensor {
  readonly name: string;
  /** Type of its values as ONNX names it (`float32`, `uint8` …), or `type N` for one that nothing here takes. */
  readonly dtype: string;
  /** Lengths of its axes; undefined for an axis that is free. Absent where the file does not say. */
  readonly shape?: readonly (number | undefined)[];
}

/** What an ONNX file says about itself, read without a runtime. */
export interface OnnxFacts {
  /** Version of the operators of the domain `ai.onnx`; absent where none is imported. */
  readonly opset?: number;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
  readonly nodes: number;
  /** Whether a tensor of the file lies in another file. */
  readonly hasOutsideData: boolean;
}

/** Types of `TensorProto.DataType`, onnx.proto3. */
const DTYPES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
};
/** Graphs within attributes of nodes (`If`, `Loop`) are followed so deep. */
const MAX_DEPTH = 8;
const MAX_TENSORS = 4_096;
const MAX_AXES = 16;

/**
 * Reads inputs, outputs and the version of the operators of an ONNX file (`ModelProto` of onnx.proto3). It looks at the outline only, in
 * one pass and without copies; whether the graph can run is for the runtime to say.
 * @throws RangeError where the bytes are no ONNX file
 */
export function readOnnxFacts(file: Uint8Array): OnnxFacts {
  let opset: number | undefined;
  let graph: Uint8Array | undefined;
  for (const { number, bytes } of listFields(file)) {
    if (number === 7 && bytes !== undefined) graph = bytes;
    if (number === 8 && bytes !== undefined) opset = readOpset(bytes) ?? opset;
  }
  if (graph === undefined) throw new RangeError('it has no graph');
  const outline: GraphOutline = { inputs: [], outputs: [], weights: new Set(), nodes: 0, outside: false };
  readGraph(graph, outline, 0);
  return {
    ...(opset === undefined ? {} : { opset }),
    // files of before 2018 list their weights among the inputs
    inputs: outline.inputs.filter(({ name }) => !outline.weights.has(name)),
    outputs: outline.outputs,
    nodes: outline.nodes,
    hasOutsideData: outline.outside,
  };
}

/** `OperatorSetIdProto`: 1 domain, 2 version. */
function readOpset(message: Uint8Array): number | undefined {
  let domain = '';
  let version: number | undefined;
  for (const { number, bytes, value } of listFields(message)) {
    if (number === 1 && bytes !== undefined) domain = toText(bytes);
    if (number === 2) version = value;
  }
  return domain === '' || domain === 'ai.onnx' ? version : undefined;
}

interface GraphOutline {
  readonly inputs: OnnxTensor[];
  readonly outputs: OnnxTensor[];
  readonly weights: Set<string>;
  nodes: number;
  outside: boolean;
}

/** `GraphProto`: 1 node, 5 initializer, 11 input, 12 output. */
function readGraph(graph: Uint8Array, outline: GraphOutline, depth: number): void {
  for (const { number, bytes } of listFields(graph)) {
    if (bytes === undefined) continue;
    if (number === 1) readNode(bytes, outline, depth);
    else if (number === 5) readWeight(bytes, outline);
    else if (depth === 0 && number === 11) outline.inputs.push(readTensor(bytes));
    else if (depth === 0 && number === 12) outline.outputs.push(readTensor(bytes));
    if (outline.inputs.length + outline.outputs.length > MAX_TENSORS)
      throw new RangeError(`it has more than ${MAX_TENSORS} inputs and outputs`);
  }
}

/** `NodeProto`: 5 attribute; `AttributeProto`: 5 tensor, 6 graph, 10 tensors, 11 graphs. */
function readNode(node: Uint8Array, outline: GraphOutline, depth: number): void {
  outline.nodes += 1;
  for (const field of listFields(node)) {
    if (field.number !== 5 || field.bytes === undefined) continue;
    for (const { number, bytes } of listFields(field.bytes)) {
      if (bytes === undefined) continue;
      if (number === 5 || number === 10) readWeight(bytes, outline);
      if (number !== 6 && number !== 11) continue;
      if (depth >= MAX_DEPTH) throw new RangeError(`graphs within graphs, more than ${MAX_DEPTH} deep`);
      readGraph(bytes, outline, depth + 1);
    }
  }
}

/** `TensorProto`: 8 name, 13 external_data, 14 data_location (1: in another file). */
function readWeight(tensor: Uint8Array, outline: GraphOutline): void {
  for (const { number, bytes, value } of listFields(tensor)) {
    if (number === 8 && bytes !== undefined) outline.weights.add(toText(bytes));
    if (number === 13 || (number === 14 && value !== 0)) outline.outside = true;
  }
}

/** `ValueInfoProto`: 1 name, 2 type; `TypeProto`: 1 tensor_type; `TypeProto.Tensor`: 1 elem_type, 2 shape. */
function readTensor(message: Uint8Array): OnnxTensor {
  let name = '';
  let type: Uint8Array | undefined;
  for (const { number, bytes } of listFields(message)) {
    if (number === 1 && bytes !== undefined) name = toText(bytes);
    if (number === 2 && bytes !== undefined)
      for (const field of listFields(bytes)) if (field.number === 1) type = field.bytes;
  }
  if (type === undefined) return { name, dtype: 'no tensor' };
  let dtype = 'type 0';
  let shape: (number | undefined)[] | undefined;
  for (const { number, value, bytes } of listFields(type)) {
    if (number === 1 && value !== undefined) dtype = DTYPES[value] ?? `type ${value}`;
    if (number === 2 && bytes !== undefined) shape = readShape(bytes);
  }
  return { name, dtype, ...(shape === undefined ? {} : { shape }) };
}

/** `TensorShapeProto`: 1 dim; `Dimension`: 1 dim_value, 2 dim_param. */
function readShape(message: Uint8Array): (number | undefined)[] {
  const shape: (number | undefined)[] = [];
  for (const { number, bytes } of listFields(message)) {
    if (number !== 1 || bytes === undefined) continue;
    let length: number | undefined;
    for (const field of listFields(bytes)) if (field.number === 1) length = field.value;
    // some exporters write 0 where an axis is free
    shape.push(length === 0 ? undefined : length);
    if (shape.length > MAX_AXES) throw new RangeError(`a tensor has more than ${MAX_AXES} axes`);
  }
  return shape;
}

/** `float32 [1, 3, ?, ?]`. */
export function describeOnnxTensor({
  dtype,
  shape,
}: {
  readonly dtype: string;
  readonly shape?: readonly (number | string | undefined)[];
}): string {
  return shape === undefined ? dtype : `${dtype} [${shape.map((length) => length ?? '?').join(', ')}]`;
}

/** As far as it is worth a look: names are printed. */
const MAX_NAME_BYTES = 256;

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, MAX_NAME_BYTES));
}
