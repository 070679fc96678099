import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { io } from '@tensorflow/tfjs-core';

export interface TfjsRuntime {
  readonly core: typeof import('@tensorflow/tfjs-core');
  readonly converter: typeof import('@tensorflow/tfjs-converter');
}

let opened: Promise<TfjsRuntime> | undefined;

/**
 * Loads TensorFlow.js with its WebAssembly backend. TensorFlow.js is one engine per process by its own design: it is opened once, and
 * only where a model needs it, because loading takes a second.
 */
export function openTfjsRuntime(): Promise<TfjsRuntime> {
  opened ??= startRuntime();
  return opened;
}

async function startRuntime(): Promise<TfjsRuntime> {
  const [core, converter, wasm] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@tensorflow/tfjs-converter'),
    import('@tensorflow/tfjs-backend-wasm'),
  ]);
  const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  wasm.setWasmPaths(join(dirname(manifest), 'dist/'));
  const restore = keepProcessListeners();
  try {
    if (!(await core.setBackend('wasm'))) throw new Error('the WebAssembly backend did not start');
    await core.ready();
  } finally {
    restore();
  }
  return { core, converter };
}

/**
 * Emscripten's start-up code hangs its own listeners on uncaught errors of the whole process. How the process ends is not for a
 * library to decide: what was added in between is taken off again.
 */
function keepProcessListeners(): () => void {
  const before = {
    uncaughtException: new Set<unknown>(process.listeners('uncaughtException')),
    unhandledRejection: new Set<unknown>(process.listeners('unhandledRejection')),
  };
  return () => {
    for (const listener of process.listeners('uncaughtException')) {
      if (!before.uncaughtException.has(listener)) process.off('uncaughtException', listener);
    }
    for (const listener of process.listeners('unhandledRejection')) {
      if (!before.unhandledRejection.has(listener)) process.off('unhandledRejection', listener);
    }
  };
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
