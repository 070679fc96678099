import { errorMessage, NgatuError } from '@ngatu/contract';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Frame } from '../frame/frame.ts';
import { tryModel } from '../model/model-trial.ts';
import type { Detection, Detector, ModelIdentity } from './detection.ts';
import { computeModelSha256, explainLoading, loadModelFile, type ModelFile } from './model-file.ts';
import { computeYoloxRows, YOLOX_ROW_LENGTH, YoloxDecoder } from './yolox-decoder.ts';
import { YoloxInputBuffer } from './yolox-input.ts';

const INPUT_STEP = 32;
const MAX_IOU = 0.45;
/** Size of the trial run at opening where the model's axes are free, px. */
const TRIAL_SIZE = 64;

export interface YoloxDetectorOptions {
  /** Name of the model in events. */
  readonly name: string;
  /** The ONNX file. */
  readonly file: ModelFile;
  readonly minConfidence: number;
  /** Threads of one inference. */
  readonly threads: number;
}

/**
 * YOLOX through ONNX Runtime on the CPU. Takes the frame as it is (BGR24) as `images` `[1, 3, H, W]` float32 NCHW BGR 0–255: where
 * the model's axes are free, padded at the right and bottom to multiples of 32; else letterboxed into the model's own size. Output
 * `output` `[1, N, 85]`, see `YoloxDecoder`.
 */
export class YoloxDetector implements Detector {
  readonly model: ModelIdentity;
  readonly #session: InferenceSession;
  readonly #minConfidence: number;
  readonly #fixedSize: { width: number; height: number } | undefined;
  readonly #decoder = new YoloxDecoder();
  readonly #input = new YoloxInputBuffer();

  private constructor(session: InferenceSession, options: YoloxDetectorOptions) {
    this.#session = session;
    this.#minConfidence = options.minConfidence;
    this.#fixedSize = fixedInputSize(session);
    this.model = { name: options.name, sha256: computeModelSha256([options.file]) };
  }

  /**
   * Loads the model and runs it once on an empty picture.
   * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
   */
  static async open(options: YoloxDetectorOptions): Promise<YoloxDetector> {
    const weights = await loadModelFile(options.name, options.file);
    let session: InferenceSession | undefined;
    try {
      await tryModel({ name: options.name, format: 'onnx', files: [weights], freeAxis: TRIAL_SIZE });
      session = await InferenceSession.create(weights, {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        // threads that wait by spinning take the cores from decoding, and gain nothing on the few that a gateway has
        extra: { session: { 'intra_op.allow_spinning': '0' } },
        logSeverityLevel: 3,
      });
      if (!session.inputNames.includes('images') || !session.outputNames.includes('output')) {
        const found = `inputs ${session.inputNames.join(', ')}; outputs ${session.outputNames.join(', ')}`;
        throw new Error(`tensors "images" and "output" expected, found ${found}`);
      }
      const detector = new YoloxDetector(session, options);
      const { width, height } = detector.#fixedSize ?? { width: TRIAL_SIZE, height: TRIAL_SIZE };
      await detector.#infer(new Float32Array(3 * width * height), width, height);
      return detector;
    } catch (cause) {
      await session?.release();
      if (cause instanceof NgatuError && cause.retryable) throw cause;
      const reason = explainLoading(options.name, cause);
      const message = `Cannot load model "${options.name}" as YOLOX: ${reason}`;
      throw new NgatuError('MODEL_INVALID', message, { cause });
    }
  }

  async detect(frame: Frame): Promise<Detection[]> {
    const width = this.#fixedSize?.width ?? Math.ceil(frame.width / INPUT_STEP) * INPUT_STEP;
    const height = this.#fixedSize?.height ?? Math.ceil(frame.height / INPUT_STEP) * INPUT_STEP;
    const { planes, scaleX, scaleY } = this.#input.fill(frame, width, height);
    let output: Float32Array;
    try {
      output = await this.#infer(planes, width, height);
    } catch (cause) {
      const message = `Cannot run model "${this.model.name}": ${errorMessage(cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
    return this.#decoder.decode(output, {
      inputWidth: width,
      inputHeight: height,
      minConfidence: this.#minConfidence,
      maxIou: MAX_IOU,
      scaleX: (scaleX * frame.sourceWidth) / frame.width,
      scaleY: (scaleY * frame.sourceHeight) / frame.height,
      sourceWidth: frame.sourceWidth,
      sourceHeight: frame.sourceHeight,
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #infer(planes: Float32Array, width: number, height: number): Promise<Float32Array> {
    const images = new Tensor('float32', planes, [1, 3, height, width]);
    const { output } = await this.#session.run({ images }, ['output']);
    const expected = [1, computeYoloxRows(width, height), YOLOX_ROW_LENGTH];
    if (output === undefined || !(output.data instanceof Float32Array)) {
      throw new Error('the output is not float32');
    }
    if (output.dims.join() !== expected.join()) {
      throw new Error(`output [${expected.join(', ')}] expected, found [${output.dims.join(', ')}]`);
    }
    return output.data;
  }
}

function fixedInputSize(session: InferenceSession): { width: number; height: number } | undefined {
  const input = session.inputMetadata.find(({ name }) => name === 'images');
  if (input === undefined || !input.isTensor) return undefined;
  const [, , height, width] = input.shape;
  return typeof height === 'number' && typeof width === 'number' && height > 0 && width > 0
    ? { width, height }
    : undefined;
}
