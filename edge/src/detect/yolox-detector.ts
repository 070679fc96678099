import { errorMessage, isTwoWheeler, type ModelManifest, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { Frame } from '../frame/frame.ts';
import { explainLoading, loadModelFile, type ModelFile } from '../model/model-file.ts';
import { openOnnxSession } from '../model/onnx-session.ts';
import type { Detection, Detector, ModelIdentity, RoadPart } from './detection.ts';
import { computeYoloxShape, YoloxDecoder } from './yolox-decoder.ts';
import { describeYolox, type YoloxNetwork } from './yolox-form.ts';
import { YoloxInputBuffer } from './yolox-input.ts';

/** Grid steps of the largest stride in the run at opening where the model's axes are free. */
const TRIAL_STEPS = 2;

export interface YoloxDetectorOptions {
  /** Says which tensors, classes, colours and sizes the network has. */
  readonly manifest: ModelManifest;
  /** The ONNX file. */
  readonly file: ModelFile;
  readonly minConfidence: number;
  /** Threads of one inference. */
  readonly threads: number;
}

/**
 * YOLOX of any number of classes through ONNX Runtime on the CPU. Takes the frame as it is (BGR24) as `[1, 3, H, W]` float32 NCHW: where the
 * model's axes are free, padded at the right and bottom to a multiple of its largest stride; else letterboxed or stretched into the model's own
 * size. Output `[1, N, 5 + classes]`, see `YoloxDecoder`.
 */
export class YoloxDetector implements Detector {
  readonly model: ModelIdentity;
  readonly #session: InferenceSession;
  readonly #network: YoloxNetwork;
  readonly #decoder: YoloxDecoder;
  readonly #input: YoloxInputBuffer;
  readonly #holdsRiders: boolean;

  private constructor(session: InferenceSession, network: YoloxNetwork, options: YoloxDetectorOptions) {
    this.#session = session;
    this.#network = network;
    this.#decoder = new YoloxDecoder(network.form);
    this.#input = new YoloxInputBuffer(network.inputForm);
    this.#holdsRiders = options.manifest.twoWheelersWithRiders === true;
    this.model = { name: options.manifest.name, sha256: options.file.sha256 };
  }

  /**
   * Loads the model and runs it once on an empty picture.
   * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
   */
  static async open(options: YoloxDetectorOptions): Promise<YoloxDetector> {
    const { manifest, file, minConfidence, threads } = options;
    const { name } = manifest;
    const bytes = await loadModelFile(name, file);
    let session: InferenceSession | undefined;
    try {
      const network = describeYolox(manifest, minConfidence);
      const freeSide = TRIAL_STEPS * network.step;
      const { expects } = network;
      session = await openOnnxSession({ name, bytes, expects, threads, trial: { freeAxis: freeSide } });
      const detector = new YoloxDetector(session, network, options);
      const { width, height } = network.fixedSize ?? { width: freeSide, height: freeSide };
      await detector.#infer(new Float32Array(3 * width * height), width, height);
      return detector;
    } catch (cause) {
      await session?.release();
      if (cause instanceof NgatuError && cause.retryable) throw cause;
      const message = `Cannot load model "${name}" as YOLOX: ${explainLoading(name, cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { cause });
    }
  }

  async detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    const { fixedSize, step, maxIou } = this.#network;
    const width = fixedSize?.width ?? Math.ceil(frame.width / step) * step;
    const height = fixedSize?.height ?? Math.ceil(frame.height / step) * step;
    const { planes, scaleX, scaleY } = this.#input.fill(frame, width, height);
    let output: Float32Array;
    try {
      output = await this.#infer(planes, width, height);
    } catch (cause) {
      const message = `Cannot run model "${this.model.name}": ${errorMessage(cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
    const options = {
      inputWidth: width,
      inputHeight: height,
      maxIou,
      scaleX: (scaleX * frame.sourceWidth) / frame.width,
      scaleY: (scaleY * frame.sourceHeight) / frame.height,
      sourceWidth: frame.sourceWidth,
      sourceHeight: frame.sourceHeight,
    };
    const found = this.#decoder.decode(output, options, parts);
    return this.#holdsRiders ? found.map(markRiders) : found;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #infer(planes: Float32Array, width: number, height: number): Promise<Float32Array> {
    const { inputName, outputName, form } = this.#network;
    const feeds = { [inputName]: new Tensor('float32', planes, [1, 3, height, width]) };
    const output = (await this.#session.run(feeds, [outputName]))[outputName];
    if (output === undefined || !(output.data instanceof Float32Array)) {
      throw new Error('the output is not float32');
    }
    const expected = computeYoloxShape(form, width, height);
    if (output.dims.join() !== expected.join()) {
      throw new Error(`output [${expected.join(', ')}] expected, found [${output.dims.join(', ')}]`);
    }
    return output.data;
  }
}

function markRiders(detection: Detection): Detection {
  return isTwoWheeler(detection.label) ? { ...detection, holdsRiders: true } : detection;
}
