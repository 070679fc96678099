import { type ModelTask, type ModelTensor, NgatuError } from '@ngatu/contract';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { explainLoading, type VerifiedNetwork } from './model-file.ts';
import { tryModel } from './model-trial.ts';
import { describeOnnxTensor, type OnnxFacts, type OnnxTensor, readOnnxFacts } from './onnx-facts.ts';

/** A tensor as the caller uses it; without a shape any will do. */
export type ExpectedTensor = Pick<ModelTensor, 'name' | 'dtype'> & Partial<Pick<ModelTensor, 'shape'>>;

/** The tensors that the caller will feed and read, as a manifest has them. */
export interface OnnxExpectations {
  /** Version of the operators; absent where any will do. */
  readonly opset?: number;
  readonly inputs: readonly ExpectedTensor[];
  /** The file may have others beside these. */
  readonly outputs: readonly ExpectedTensor[];
}

export interface OnnxSessionOptions {
  /** Name of the model, for messages. */
  readonly name: string;
  /** The file, whose digest was verified. Not changed, and not needed any more when the session is open. */
  readonly bytes: Uint8Array;
  readonly expects: OnnxExpectations | readonly OnnxExpectations[];
  /** Threads of one inference; 1 by default. */
  readonly threads?: number;
  readonly trial: OnnxTrial;
}

/**
 * Length of the axes that the file leaves free, for the trial in a process of its own, in which a file that nobody has looked at is run first;
 * `untried` for a file that was tried already in this run, or is only measured.
 */
export type OnnxTrial = { readonly freeAxis: number } | 'untried';

/**
 * Opens an ONNX file on the CPU. Its outline is read and held against `expects` before any native code sees a byte; then it is tried in a process
 * of its own; then it is opened here. The caller owns the session and releases it.
 * @throws NgatuError MODEL_INVALID saying what is wrong with it in one line; CHILD_FAILED (retryable) where no trial could be started
 */
export async function openOnnxSession(options: OnnxSessionOptions): Promise<InferenceSession> {
  const { name, bytes, expects, threads = 1, trial } = options;
  try {
    const facts = readOnnxFacts(bytes);
    for (const each of [expects].flat()) checkOnnxFacts(facts, each);
    if (trial !== 'untried') await tryModel({ name, bytes, ...trial });
    return await startSession(bytes, threads);
  } catch (cause) {
    if (cause instanceof NgatuError && cause.retryable) throw cause;
    const message = `Cannot load model "${name}": ${explainLoading(name, cause)}`;
    throw new NgatuError('MODEL_INVALID', message, { cause });
  }
}

export interface NetworkSessionOptions {
  /** What the caller takes networks for. */
  readonly tasks: readonly ModelTask[];
  /** The tensors as the caller feeds and reads them, beside what the manifest says of them. */
  readonly uses?: OnnxExpectations;
  readonly threads?: number;
  readonly trial: OnnxTrial;
}

/**
 * Opens a network that a manifest describes, in these steps: its task and runtime, the outline of the file against the manifest and
 * against what the caller feeds, the trial, and the session. The caller owns the session and releases it.
 * @throws NgatuError MODEL_INVALID naming the first difference; CHILD_FAILED (retryable) where no trial could be started
 */
export function openNetworkSession(
  { manifest, bytes }: VerifiedNetwork,
  { tasks, uses, threads, trial }: NetworkSessionOptions,
): Promise<InferenceSession> {
  const { name, task, runtime, inputs, outputs } = manifest;
  const refuse = (why: string): Promise<never> =>
    Promise.reject(new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`));
  if (!tasks.includes(task)) return refuse(`it is a ${task}, no ${tasks.join(' or ')}`);
  const said: OnnxExpectations = { opset: runtime.opset, inputs, outputs };
  return openOnnxSession({
    ...{ name, bytes, trial },
    expects: uses === undefined ? said : [said, uses],
    ...(threads === undefined ? {} : { threads }),
  });
}

/** Runs a session and gives its outputs by name. @throws Error where one of them is not float32 */
export async function runFloats(
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
): Promise<Map<string, Float32Array>> {
  const results = await session.run(feeds, outputs);
  return new Map(
    outputs.map((name) => {
      const data = results[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`output "${name}" is not float32`);
      return [name, data];
    }),
  );
}

function startSession(bytes: Uint8Array, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    // threads that wait by spinning take the cores from decoding, and gain nothing on the few that a gateway has
    extra: { session: { 'intra_op.allow_spinning': '0' } },
    logSeverityLevel: 3,
  });
}

/**
 * Holds what a file says about itself against what the caller expects of it.
 * @throws RangeError naming the first difference
 */
export function checkOnnxFacts(facts: OnnxFacts, expects: OnnxExpectations): void {
  if (facts.hasOutsideData) throw new RangeError('a part of its weights lies in another file');
  const { opset, inputs, outputs } = expects;
  if (opset !== undefined && facts.opset !== opset)
    throw new RangeError(`opset ${opset} expected, found ${facts.opset ?? 'none'}`);
  const names = new Set(inputs.map(({ name }) => name));
  const unfed = facts.inputs.filter(({ name }) => !names.has(name));
  if (unfed.length > 0 || facts.inputs.length !== inputs.length)
    throw new RangeError(`inputs ${listNames(inputs)} expected, found ${listNames(facts.inputs)}`);
  const missing = outputs.filter(({ name }) => !facts.outputs.some((found) => found.name === name));
  if (missing.length > 0)
    throw new RangeError(`outputs ${listNames(outputs)} expected, found ${listNames(facts.outputs)}`);
  for (const tensor of inputs) compare(tensor, facts.inputs, 'must be free');
  for (const tensor of outputs) compare(tensor, facts.outputs, 'may be fixed');
}

function compare(
  expected: ExpectedTensor,
  found: readonly OnnxTensor[],
  freeAxes: 'must be free' | 'may be fixed',
): void {
  const tensor = found.find(({ name }) => name === expected.name);
  if (tensor === undefined) return;
  const { name, dtype, shape } = expected;
  const fits =
    tensor.dtype === dtype &&
    (shape === undefined ||
      tensor.shape === undefined ||
      (tensor.shape.length === shape.length &&
        tensor.shape.every((length, at) => {
          const wanted = shape[at];
          if (length === undefined || length === wanted) return true;
          return typeof wanted === 'string' && freeAxes === 'may be fixed';
        })));
  if (fits) return;
  throw new RangeError(
    `"${name}" ${describeOnnxTensor({ dtype, ...(shape === undefined ? {} : { shape }) })} expected, found ${describeOnnxTensor(tensor)}`,
  );
}

function listNames(tensors: readonly { readonly name: string }[]): string {
  const shown = tensors.slice(0, 8).map(({ name }) => `"${name}"`);
  return shown.length === 0 ? 'none' : `${shown.join(', ')}${tensors.length > 8 ? ', …' : ''}`;
}
