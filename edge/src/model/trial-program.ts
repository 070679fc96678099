/*
 * What runs in the process of a trial. Its functions are handed over as text: they name nothing outside themselves.
 */

/** What a trial is told by its arguments; the files follow on its input, one behind the other. */
export interface TrialJob {
  readonly format: 'onnx' | 'tfjs';
  /** Paths of the libraries: `onnxruntime-node`, or TensorFlow.js' core, converter and WebAssembly backend. */
  readonly libraries: readonly string[];
  /** Folder of the WebAssembly files, for `tfjs`. */
  readonly wasmFolder?: string;
  readonly sizesBytes: readonly number[];
  /** Length of an axis that the model leaves free. */
  readonly freeAxis: number;
}

interface OnnxRuntime {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: object): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => unknown;
}

interface OnnxSession {
  readonly inputMetadata: readonly {
    name: string;
    isTensor: boolean;
    type?: string;
    shape?: readonly unknown[];
  }[];
  run(feeds: object): Promise<unknown>;
}

/** The part of TensorFlow.js that a trial uses. */
interface TfjsGraph {
  readonly inputs: readonly { name: string; shape?: readonly number[]; dtype: string }[];
  execute(feeds: object): { dataSync(): unknown } | { dataSync(): unknown }[];
}
interface TfjsLibrary {
  setWasmPaths(folder: string): void;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  zeros(shape: readonly number[], type: string): unknown;
  loadGraphModel(source: unknown): Promise<TfjsGraph>;
  readonly io: {
    getModelArtifactsForJSONSync(model: unknown, specs: unknown, data: ArrayBuffer): unknown;
    fromMemory(artifacts: unknown): unknown;
  };
}

/**
 * Loads the model that comes on the input and runs it once on nothing. Says `refused` and why where the runtime declines the
 * model; what goes wrong in the run is left to the caller, who words it better.
 */
export async function runTrialProgram(load: (path: string) => unknown): Promise<void> {
  const job = JSON.parse(process.argv[1] ?? '') as TrialJob;
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const input = Buffer.concat(chunks);
  const files: Uint8Array[] = [];
  let at = 0;
  for (const size of job.sizesBytes) {
    files.push(Uint8Array.prototype.slice.call(input, at, at + size));
    at += size;
  }
  const fill = (shape: readonly unknown[]): number[] =>
    shape.map((axis, index) =>
      typeof axis === 'number' && axis > 0 ? axis : index === 0 ? 1 : job.freeAxis,
    );
  const tryOnnx = async (): Promise<() => Promise<unknown>> => {
    const { InferenceSession, Tensor } = load(job.libraries[0] ?? '') as OnnxRuntime;
    const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 };
    const level = { graphOptimizationLevel: 'all', logSeverityLevel: 3 };
    const session = await InferenceSession.create(files[0] ?? new Uint8Array(), { ...options, ...level });
    return () => {
      const feeds = session.inputMetadata.map(({ name, type, shape = [] }) => {
        const dims = fill(shape);
        const count = dims.reduce((product, side) => product * side, 1);
        if (count > 100_000_000) throw new Error('an input of too many numbers');
        const values = type === 'uint8' ? new Uint8Array(count) : new Float32Array(count);
        return [name, new Tensor(type === 'uint8' ? type : 'float32', values, dims)];
      });
      return session.run(Object.fromEntries(feeds));
    };
  };
  const tryTfjs = async (): Promise<() => Promise<unknown>> => {
    const [core, converter, wasm] = job.libraries.map((path) => load(path) as TfjsLibrary);
    if (core === undefined || converter === undefined || wasm === undefined) throw new Error('no library');
    wasm.setWasmPaths(job.wasmFolder ?? '');
    await core.setBackend('wasm');
    await core.ready();
    const [topology, ...weights] = files;
    const model = JSON.parse(Buffer.from(topology ?? []).toString('utf8'));
    const specs = model.weightsManifest.flatMap((group: { weights: unknown[] }) => group.weights);
    const data = new Uint8Array(Buffer.concat(weights)).buffer;
    const artifacts = core.io.getModelArtifactsForJSONSync(model, specs, data);
    const graph = await converter.loadGraphModel(core.io.fromMemory(artifacts));
    return async () => {
      const feeds = graph.inputs.map(({ name, shape = [], dtype }) => [name, core.zeros(fill(shape), dtype)]);
      for (const output of [graph.execute(Object.fromEntries(feeds))].flat()) output.dataSync();
    };
  };
  let run: () => Promise<unknown>;
  try {
    run = await (job.format === 'onnx' ? tryOnnx() : tryTfjs());
  } catch (error) {
    process.stdout.write(`refused ${error instanceof Error ? error.message : error}`, () => process.exit(0));
    return;
  }
  const answer = await run().then(
    () => 'ran',
    () => 'loaded',
  );
  process.stdout.write(answer, () => process.exit(0));
}
