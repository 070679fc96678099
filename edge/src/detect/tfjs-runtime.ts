import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { io } from '@tensorflow/tfjs-core';
import { openTfjsEngine, type TfjsEngine } from '../model/tfjs-engine.ts';

export interface TfjsRuntime {
  readonly core: TfjsEngine;
  readonly converter: typeof import('@tensorflow/tfjs-converter');
}

/** The process's one TensorFlow.js engine, with what loads graph models into it. */
export async function openTfjsRuntime(): Promise<TfjsRuntime> {
  const [core, converter] = await Promise.all([openTfjsEngine(), import('@tensorflow/tfjs-converter')]);
  return { core, converter };
}

/**
 * Checks that the `.json` of a graph model and the bytes of its weight files, in the order in which it names them, fit each other.
 * @throws Error saying what is wrong with them
 */
export function checkTfjsModel(topology: Uint8Array, weights: readonly Uint8Array[]): io.ModelJSON {
  const model = parseModel(topology);
  const named = model.weightsManifest.reduce((sum, group) => sum + group.paths.length, 0);
  if (named !== weights.length)
    throw new Error(`it names ${named} files of weights, ${weights.length} given`);
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  const expectedBytes = specs.reduce((sum, spec) => sum + computeWeightBytes(spec), 0);
  const bytes = weights.reduce((sum, { length }) => sum + length, 0);
  if (bytes !== expectedBytes) throw new Error(`its weights have ${expectedBytes} bytes, ${bytes} given`);
  return model;
}

/**
 * Builds a graph model from the bytes of its `.json` and of its weight files.
 * @throws Error saying what is wrong with them
 */
export async function loadTfjsGraphModel(
  { core, converter }: TfjsRuntime,
  topology: Uint8Array,
  weights: readonly Uint8Array[],
): Promise<GraphModel> {
  const model = checkTfjsModel(topology, weights);
  const specs = model.weightsManifest.flatMap((group) => group.weights);
  const weightData = new Uint8Array(Buffer.concat(weights)).buffer;
  const artifacts = core.io.getModelArtifactsForJSONSync(model, specs, weightData);
  return converter.loadGraphModel(core.io.fromMemory(artifacts));
}

function parseModel(topology: Uint8Array): io.ModelJSON {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(topology));
  } catch (cause) {
    throw new Error('it is not JSON', { cause });
  }
  if (!isRecord(value) || value['format'] !== 'graph-model' || !isRecord(value['modelTopology'])) {
    throw new Error('it is not a TensorFlow.js graph model');
  }
  const groups = value['weightsManifest'];
  const isGroup = (group: unknown): boolean =>
    isRecord(group) && Array.isArray(group['paths']) && Array.isArray(group['weights']);
  if (!Array.isArray(groups) || !groups.every(isGroup)) throw new Error('it has no manifest of weights');
  return value as unknown as io.ModelJSON;
}

const BYTES_PER_VALUE: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

function computeWeightBytes(spec: io.WeightsManifestEntry): number {
  const type = spec.quantization?.dtype ?? spec.dtype;
  const bytes = BYTES_PER_VALUE[type];
  if (bytes === undefined) throw new Error(`its weight "${spec.name}" is of type ${type}`);
  return spec.shape.reduce((product, side) => product * side, bytes);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
