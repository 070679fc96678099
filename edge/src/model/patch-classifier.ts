import { errorMessage, type ModelManifest, type ModelTask, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { loadNetwork, type NetworkFile } from './model-file.ts';
import { openNetworkSession } from './onnx-session.ts';
import type { PatchForm } from './patch-planes.ts';

/** How sure the network is of each label, 0–1. */
type LabelScores = ReadonlyMap<string, number>;

/**
 * Runs a network of the format `class-scores` on patches of a fixed size, input `[1, 3, rows, columns]` float32. Any number of calls may run at
 * once. The owner closes it.
 */
export class PatchClassifier {
  readonly name: string;
  readonly sha256: string;
  /** How a patch must be sampled. */
  readonly form: PatchForm;
  readonly #session: InferenceSession;
  readonly #manifest: ModelManifest;

  private constructor(session: InferenceSession, { manifest, file }: NetworkFile, form: PatchForm) {
    this.#session = session;
    this.#manifest = manifest;
    this.name = manifest.name;
    this.sha256 = file.sha256;
    this.form = form;
  }

  /**
   * Verifies the file, tries it in a process of its own and opens it; one empty patch was looked at when the promise resolves.
   * @param labels that the caller needs; the model may have others beside them
   * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID, CHILD_FAILED (retryable)
   */
  static async open(
    model: NetworkFile,
    task: ModelTask,
    labels: readonly string[],
  ): Promise<PatchClassifier> {
    const form = describePatch(model.manifest, task, labels);
    const network = await loadNetwork(model);
    const session = await openNetworkSession(network, { tasks: [task], trial: { freeAxis: 1 } });
    const classifier = new PatchClassifier(session, model, form);
    try {
      await classifier.classify(new Float32Array(3 * form.rows * form.columns));
    } catch (error) {
      await classifier.close();
      throw error;
    }
    return classifier;
  }

  /**
   * @param planes `[3, rows, columns]` as `form` says; not kept
   * @throws NgatuError MODEL_INVALID (retryable) where the inference fails or says no numbers
   */
  async classify(planes: Float32Array): Promise<LabelScores> {
    const { inputs, outputs, labels, decoding } = this.#manifest;
    const { rows, columns } = this.form;
    try {
      const feeds = { [inputs[0]?.name ?? '']: new Tensor('float32', planes, [1, 3, rows, columns]) };
      const output = outputs[0]?.name ?? '';
      const data = (await this.#session.run(feeds, [output]))[output]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`output "${output}" is not float32`);
      const scores = activate(data, decoding.format === 'class-scores' ? decoding.activation : 'none');
      if (!scores.every((score) => Number.isFinite(score))) throw new Error('it says what is no number');
      return new Map(Object.entries(labels).map(([index, label]) => [label, scores[Number(index)] ?? 0]));
    } catch (cause) {
      const message = `Cannot run model "${this.name}": ${errorMessage(cause).split('\n')[0]}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

/** @throws NgatuError MODEL_INVALID where the manifest is not of such a network */
function describePatch(manifest: ModelManifest, task: ModelTask, labels: readonly string[]): PatchForm {
  const { name, inputs, outputs, preprocessing, decoding } = manifest;
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  if (manifest.task !== task) throw refuse(`it is a ${manifest.task}, no ${task}`);
  if (decoding.format !== 'class-scores')
    throw refuse(`a patch has class scores, and it has ${decoding.format}`);
  const [batch, channels, rows, columns] = inputs[0]?.shape ?? [];
  const fits = batch === 1 && channels === 3 && typeof rows === 'number' && typeof columns === 'number';
  if (!fits || inputs.length !== 1 || inputs[0]?.dtype !== 'float32' || outputs[0]?.dtype !== 'float32')
    throw refuse('one input [1, 3, rows, columns] and an output, all of float32, are expected');
  const { colourOrder, mean, std, fit } = preprocessing;
  if ((colourOrder !== 'rgb' && colourOrder !== 'bgr') || fit !== 'stretch')
    throw refuse('a patch is stretched, and in colour');
  const known = new Set(Object.values(manifest.labels));
  const missing = labels.filter((label) => !known.has(label));
  if (missing.length > 0) throw refuse(`it has no label ${missing.join(', ')}`);
  return { rows, columns, colourOrder, mean: spread(mean), std: spread(std) };
}

function spread(values: readonly number[]): [number, number, number] {
  const [first = 0, second = first, third = second] = values;
  return [first, second, third];
}

function activate(values: Float32Array, activation: string): Float32Array {
  if (activation === 'none') return values;
  if (activation === 'sigmoid') return values.map((value) => 1 / (1 + Math.exp(-value)));
  const largest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}
