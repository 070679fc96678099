import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { errorMessage, NgatuError } from '@ngatu/contract';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Frame } from '../frame/frame.ts';
import type { Detection, Detector, ModelIdentity } from './detection.ts';
import { YoloxDecoder } from './yolox-decoder.ts';

/** YOLOX was trained with letterbox borders of this grey (its `preproc`). */
const PAD_VALUE = 114;
const INPUT_STEP = 32;
const MAX_IOU = 0.45;

export interface DetectorOptions {
  /** Name of the model in events. */
  name: string;
  /** Weights; for a TensorFlow.js model its `.json`. */
  file: string;
  /** Digest that the file must have; it stands in every event. */
  sha256: string;
  minConfidence: number;
  threads: number;
}

/**
 * YOLOX through ONNX Runtime on the CPU. Takes the frame as it is (BGR24), pads it at the right and bottom to multiples of
 * 32 in one typed-array pass into `images` `[1, 3, H, W]` float32 NCHW BGR 0–255; any frame size where the model's axes
 * are free, else the model's own size with a nearest-neighbour letterbox.
 */
export class YoloxDetector implements Detector {
  readonly model: ModelIdentity;
  readonly #session: InferenceSession;
  readonly #minConfidence: number;
  readonly #fixedSize: { width: number; height: number } | undefined;
  readonly #decoder = new YoloxDecoder();
  #planes = new Float32Array(0);
  #planesKey = '';

  private constructor(session: InferenceSession, options: DetectorOptions) {
    this.#session = session;
    this.#minConfidence = options.minConfidence;
    this.#fixedSize = fixedInputSize(session);
    this.model = { name: options.name, sha256: options.sha256 };
  }

  /** @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID */
  static async open(options: DetectorOptions): Promise<YoloxDetector> {
    const weights = await loadVerifiedModel(options);
    try {
      const session = await InferenceSession.create(weights, {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      });
      if (session.inputNames[0] !== 'images' || session.outputNames[0] !== 'output') {
        const found = `inputs ${session.inputNames.join(', ')}; outputs ${session.outputNames.join(', ')}`;
        throw new Error(`tensors "images" and "output" expected, found ${found}`);
      }
      return new YoloxDetector(session, options);
    } catch (cause) {
      const reason = errorMessage(cause).split('\n')[0] ?? '';
      throw new NgatuError('MODEL_INVALID', `Cannot load model "${options.name}" as YOLOX: ${reason}`, {
        cause,
      });
    }
  }

  async detect(frame: Frame): Promise<Detection[]> {
    const width = this.#fixedSize?.width ?? Math.ceil(frame.width / INPUT_STEP) * INPUT_STEP;
    const height = this.#fixedSize?.height ?? Math.ceil(frame.height / INPUT_STEP) * INPUT_STEP;
    const scale = this.#fill(frame, width, height);
    let output: Tensor;
    try {
      const results = await this.#session.run({
        images: new Tensor('float32', this.#planes, [1, 3, height, width]),
      });
      const found = results['output'];
      if (found === undefined || found.type !== 'float32') throw new Error('no float32 tensor "output"');
      output = found;
    } catch (cause) {
      throw new NgatuError('MODEL_INVALID', `Cannot run model "${this.model.name}": ${errorMessage(cause)}`, {
        retryable: true,
        cause,
      });
    }
    const data = output.data;
    if (!(data instanceof Float32Array))
      throw new NgatuError('MODEL_INVALID', 'Cannot read the output as float32');
    return this.#decoder.decode(data, {
      inputWidth: width,
      inputHeight: height,
      minConfidence: this.#minConfidence,
      maxIou: MAX_IOU,
      scaleX: frame.sourceWidth / (frame.width * scale),
      scaleY: frame.sourceHeight / (frame.height * scale),
      sourceWidth: frame.sourceWidth,
      sourceHeight: frame.sourceHeight,
    });
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** Writes the frame into the planes and returns the factor from frame to network pixels (1 where axes are free). */
  #fill(frame: Frame, width: number, height: number): number {
    const scale = Math.min(1, width / frame.width, height / frame.height);
    const key = `${width}x${height}:${frame.width}x${frame.height}`;
    if (key !== this.#planesKey) {
      this.#planes = new Float32Array(3 * width * height).fill(PAD_VALUE);
      this.#planesKey = key;
    }
    if (scale === 1) fillPlanes(frame, this.#planes, width, height);
    else fillScaledPlanes(frame, this.#planes, width, height, scale);
    return scale;
  }
}

/** Interleaved BGR bytes → three float planes, top left. */
function fillPlanes(frame: Frame, planes: Float32Array, width: number, height: number): void {
  const { pixels } = frame;
  const plane = width * height;
  let from = 0;
  for (let y = 0; y < frame.height; y++) {
    let to = y * width;
    for (const end = to + frame.width; to < end; to++, from += 3) {
      planes[to] = pixels[from] as number;
      planes[to + plane] = pixels[from + 1] as number;
      planes[to + 2 * plane] = pixels[from + 2] as number;
    }
  }
}

function fillScaledPlanes(
  frame: Frame,
  planes: Float32Array,
  width: number,
  height: number,
  scale: number,
): void {
  const { pixels } = frame;
  const plane = width * height;
  const columns = Math.floor(frame.width * scale);
  const rows = Math.floor(frame.height * scale);
  for (let y = 0; y < rows; y++) {
    const line = Math.min(frame.height - 1, Math.floor((y + 0.5) / scale)) * frame.width;
    for (let x = 0; x < columns; x++) {
      const from = (line + Math.min(frame.width - 1, Math.floor((x + 0.5) / scale))) * 3;
      const to = y * width + x;
      planes[to] = pixels[from] as number;
      planes[to + plane] = pixels[from + 1] as number;
      planes[to + 2 * plane] = pixels[from + 2] as number;
    }
  }
}

function fixedInputSize(session: InferenceSession): { width: number; height: number } | undefined {
  const input = session.inputMetadata[0];
  if (input === undefined || !input.isTensor) return undefined;
  const [, , height, width] = input.shape;
  return typeof height === 'number' && typeof width === 'number' && height > 0 && width > 0
    ? { width, height }
    : undefined;
}

/** Reads the weights and checks them before a native parser sees them. */
async function loadVerifiedModel(options: DetectorOptions): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(options.file);
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new NgatuError(
      'FILE_UNREADABLE',
      `Cannot read model "${options.name}" at ${options.file}: ${reason}`,
      { cause },
    );
  }
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== options.sha256) {
    const digests = `expected ${options.sha256}, got ${actual}`;
    throw new NgatuError(
      'MODEL_DIGEST_MISMATCH',
      `Cannot open model "${options.name}": sha256 differs (${digests})`,
    );
  }
  return bytes;
}
