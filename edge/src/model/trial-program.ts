/*
 * What runs in the process of a trial. Its functions are handed over as text: they name nothing outside themselves.
 */

/** What a trial is told by its arguments; the model follows on its input. */
export interface TrialJob {
  /** Path of `onnxruntime-node`. */
  readonly runtime: string;
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

/**
 * Loads the model that comes on the input and runs it once on nothing. Says `refused` and why where the runtime declines the
 * model; what goes wrong in the run is left to the caller, who words it better.
 */
export async function runTrialProgram(load: (path: string) => unknown): Promise<void> {
  const job = JSON.parse(process.argv[1] ?? '') as TrialJob;
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const fill = (shape: readonly unknown[]): number[] =>
    shape.map((axis, index) =>
      typeof axis === 'number' && axis > 0 ? axis : index === 0 ? 1 : job.freeAxis,
    );
  const open = async (): Promise<() => Promise<unknown>> => {
    const { InferenceSession, Tensor } = load(job.runtime) as OnnxRuntime;
    const options = { executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 };
    const level = { graphOptimizationLevel: 'all', logSeverityLevel: 3 };
    const session = await InferenceSession.create(Buffer.concat(chunks), { ...options, ...level });
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
  let run: () => Promise<unknown>;
  try {
    run = await open();
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
