import { errorMessage, type ModelManifest, NgatuError } from '@ngatu/contract';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type { Frame } from '../frame/frame.ts';
import { computeModelSha256, explainLoading, loadModelFile, type ModelFile } from '../model/model-file.ts';
import { tryModel } from '../model/model-trial.ts';
import { BilinearSampler, type TensorLayout } from './bilinear-sampler.ts';
import { CenternetDecoder } from './centernet-decoder.ts';
import type { Detection, Detector, ModelIdentity, RoadPart } from './detection.ts';
import { computeRoadClasses, type RoadClass } from './road-class.ts';
import { checkTfjsModel, loadTfjsGraphModel, openTfjsRuntime, type TfjsRuntime } from './tfjs-runtime.ts';

const INPUT = 'tower_0/images';
const OUTPUT = 'tower_0/detections';
const INPUT_SIZE = 512;
const INPUT_SHAPE: [number, number, number, number] = [1, INPUT_SIZE, INPUT_SIZE, 3];
const DETECTIONS = 100;
const OUTPUT_SHAPE = [1, DETECTIONS, 6];
/** RGB, interleaved. */
const LAYOUT: TensorLayout = {
  rowStride: 3 * INPUT_SIZE,
  pixelStride: 3,
  blueOffset: 2,
  greenOffset: 1,
  redOffset: 0,
};
const MAX_IOU = 0.45;

export interface CenternetDetectorOptions {
  /** Says which classes are looked at. Tensors other than the known ones are refused. */
  readonly manifest: ModelManifest;
  /** The TensorFlow.js graph model (`.json`), then its weights in the order in which it names them. */
  readonly files: readonly ModelFile[];
  readonly minConfidence: number;
}

/**
 * CenterNet with a MobileNetV3 body through TensorFlow.js on WebAssembly (SIMD, one thread: TensorFlow.js does not thread in
 * Node): for where only the npm registry can be reached. The frame is stretched bilinearly to `tower_0/images`
 * `[1, 512, 512, 3]` float32 NHWC RGB 0–255; output `tower_0/detections` `[1, 100, 6]`, see `CenternetDecoder`. One inference
 * holds the event loop for its whole duration.
 */
export class CenternetDetector implements Detector {
  readonly model: ModelIdentity;
  readonly #runtime: TfjsRuntime;
  readonly #graph: GraphModel;
  readonly #maxIou: number;
  readonly #decoder: CenternetDecoder;
  readonly #values = new Float32Array(3 * INPUT_SIZE * INPUT_SIZE);
  #sampler: BilinearSampler | undefined;

  private constructor(
    runtime: TfjsRuntime,
    graph: GraphModel,
    { manifest, files }: CenternetDetectorOptions,
    classes: readonly RoadClass[],
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#maxIou = manifest.thresholds.maxIou ?? MAX_IOU;
    this.#decoder = new CenternetDecoder(classes);
    this.model = { name: manifest.name, sha256: computeModelSha256(files) };
  }

  /**
   * Loads the model and runs it once on an empty picture.
   * @throws NgatuError FILE_UNREADABLE, MODEL_DIGEST_MISMATCH, MODEL_INVALID
   */
  static async open(options: CenternetDetectorOptions): Promise<CenternetDetector> {
    const { name } = options.manifest;
    const files = await Promise.all(options.files.map((file) => loadModelFile(name, file)));
    const [topology, ...weights] = files;
    let graph: GraphModel | undefined;
    try {
      if (topology === undefined) throw new Error('no file was named');
      const classes = computeRoadClasses(options.manifest, options.minConfidence);
      checkTfjsModel(topology, weights);
      await tryModel({ name, format: 'tfjs', files, freeAxis: INPUT_SIZE });
      const runtime = await openTfjsRuntime();
      graph = await loadTfjsGraphModel(runtime, topology, weights);
      requireTensors(graph);
      const detector = new CenternetDetector(runtime, graph, options, classes);
      detector.#infer();
      return detector;
    } catch (cause) {
      graph?.dispose();
      if (cause instanceof NgatuError && cause.retryable) throw cause;
      const message = `Cannot load model "${name}" as CenterNet: ${explainLoading(name, cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { cause });
    }
  }

  async detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    const sizes = {
      fromWidth: frame.width,
      fromHeight: frame.height,
      toWidth: INPUT_SIZE,
      toHeight: INPUT_SIZE,
    };
    if (this.#sampler?.isFor(sizes) !== true) this.#sampler = new BilinearSampler(sizes);
    this.#sampler.fill(frame.pixels, this.#values, LAYOUT);
    let output: Float32Array;
    try {
      output = this.#infer();
    } catch (cause) {
      const message = `Cannot run model "${this.model.name}": ${errorMessage(cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
    const options = {
      maxIou: this.#maxIou,
      scaleX: frame.sourceWidth / INPUT_SIZE,
      scaleY: frame.sourceHeight / INPUT_SIZE,
      sourceWidth: frame.sourceWidth,
      sourceHeight: frame.sourceHeight,
    };
    return this.#decoder.decode(output, options, parts);
  }

  async close(): Promise<void> {
    this.#graph.dispose();
  }

  /** Runs the network on `#values`. Every tensor made here is released here. */
  #infer(): Float32Array {
    const { tidy, tensor4d } = this.#runtime.core;
    return tidy(() => {
      const images = tensor4d(this.#values, INPUT_SHAPE);
      const found = this.#graph.execute({ [INPUT]: images }, OUTPUT);
      if (Array.isArray(found)) throw new Error(`one tensor "${OUTPUT}" expected, found ${found.length}`);
      const values = found.dataSync();
      if (!(values instanceof Float32Array) || found.shape.join() !== OUTPUT_SHAPE.join()) {
        const shape = `${found.dtype} [${found.shape.join(', ')}]`;
        throw new Error(`"${OUTPUT}" float32 [${OUTPUT_SHAPE.join(', ')}] expected, found ${shape}`);
      }
      return values;
    });
  }
}

function requireTensors(graph: GraphModel): void {
  const inputs = graph.inputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? ''}]`);
  const expected = `${INPUT} [${INPUT_SHAPE.join(', ')}]`;
  const outputs = graph.outputs.map(({ name }) => name);
  if (inputs.join() === expected && outputs.includes(OUTPUT)) return;
  const found = `inputs ${inputs.join(', ')}; outputs ${outputs.join(', ')}`;
  throw new Error(`tensors "${expected}" and "${OUTPUT}" expected, found ${found}`);
}
