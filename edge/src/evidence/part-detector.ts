import { errorMessage, type ModelManifest, type ModelTask, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { type Box, computeIou } from '../geometry/box.ts';
import { explainLoading, labelNetwork, type VerifiedNetwork } from '../model/model-file.ts';
import { openNetworkSession, runFloats } from '../model/onnx-session.ts';
import type { PixelPicture } from './blur-mosaic.ts';
import { fillTensor, listTiles, type TensorForm } from './tensor-picture.ts';

/** A face or a plate that was found; box in pixels of the picture. */
export interface FoundPart {
  readonly confidence: number;
  readonly box: Box;
}

/** Finds faces or plates in an RGB picture, small ones too. */
export interface PartDetector {
  /** Name and the beginning of the digest, for recipes: `yunet-n-640@25a606a1`. */
  readonly label: string;
  /** @throws NgatuError MODEL_INVALID where the inference fails */
  find(picture: PixelPicture): Promise<FoundPart[]>;
  close(): Promise<void>;
}

/** One kind of network: its picture, its tensors, how its outputs become boxes in network pixels. */
interface PartNetwork {
  readonly task: ModelTask;
  readonly format: ModelManifest['decoding']['format'];
  readonly form: TensorForm;
  readonly input: string;
  readonly outputs: readonly string[];
  /** Side of a tile in the picture, px. */
  readonly tilePx: number;
  readonly maxIou: number;
  decode(outputs: ReadonlyMap<string, Float32Array>): FoundPart[];
}

const YUNET_STRIDES = [8, 16, 32] as const;
const YUNET_SIZE = 640;
/** Lower than where somebody is to be recognised: a hub that is blurred costs little, a face that is shown much. */
const FACE_MIN_CONFIDENCE = 0.45;

/**
 * YuNet (`input` `[1, 3, 640, 640]` float32 BGR 0–255, letterbox top left, border 0; per stride s `cls_s`, `obj_s` `[1, N, 1]`,
 * `bbox_s` `[1, N, 4]`): confidence = √(cls · obj), centre = (cell + offset) · s, size = exp(·) · s.
 */
const YUNET: PartNetwork = {
  task: 'face-detector',
  format: 'yunet',
  form: { size: YUNET_SIZE, order: 'bgr', scale: 1, pad: 0, place: 'top-left' },
  input: 'input',
  outputs: YUNET_STRIDES.flatMap((stride) => [`cls_${stride}`, `obj_${stride}`, `bbox_${stride}`]),
  tilePx: 640,
  maxIou: 0.3,
  decode: (outputs) => YUNET_STRIDES.flatMap((stride) => decodeYunet(outputs, stride)),
};

function decodeYunet(outputs: ReadonlyMap<string, Float32Array>, stride: number): FoundPart[] {
  const columns = YUNET_SIZE / stride;
  const classes = outputs.get(`cls_${stride}`) ?? new Float32Array();
  const objects = outputs.get(`obj_${stride}`) ?? new Float32Array();
  const boxes = outputs.get(`bbox_${stride}`) ?? new Float32Array();
  const found: FoundPart[] = [];
  for (let cell = 0; cell < classes.length; cell++) {
    const product = (classes[cell] as number) * (objects[cell] as number);
    if (!(product >= FACE_MIN_CONFIDENCE ** 2)) continue;
    const at = cell * 4;
    const x = ((cell % columns) + (boxes[at] as number)) * stride;
    const y = (Math.floor(cell / columns) + (boxes[at + 1] as number)) * stride;
    const width = Math.exp(boxes[at + 2] as number) * stride;
    const height = Math.exp(boxes[at + 3] as number) * stride;
    found.push({
      confidence: Math.min(1, Math.sqrt(product)),
      box: [x - width / 2, y - height / 2, x + width / 2, y + height / 2],
    });
  }
  return found;
}

const RFB_MIN_CONFIDENCE = 0.6;

/**
 * RFB-640 for faces with and without mask (`[1, 3, 480, 640]` float32 RGB (x − 127) / 128, stretched; `scores` `[1, 17640, 3]` =
 * background, face, masked face; `boxes` `[1, 17640, 4]` xyxy 0–1). Here the picture lies in the upper left of a square of 640, of
 * which the net sees the upper 480 rows, so that nothing is stretched.
 */
const RFB: PartNetwork = {
  task: 'mask-classifier',
  format: 'rfb',
  form: { size: 640, rows: 480, order: 'rgb', scale: 1 / 128, offset: -127 / 128, pad: 0, place: 'top-left' },
  input: 'input',
  outputs: ['scores', 'boxes'],
  tilePx: 480,
  maxIou: 0.35,
  decode: (outputs) => {
    const scores = outputs.get('scores') ?? new Float32Array();
    const boxes = outputs.get('boxes') ?? new Float32Array();
    const found: FoundPart[] = [];
    for (let row = 0; row * 3 + 2 < scores.length; row++) {
      const confidence = Math.max(scores[row * 3 + 1] as number, scores[row * 3 + 2] as number);
      if (!(confidence >= RFB_MIN_CONFIDENCE)) continue;
      const at = row * 4;
      const [x1, y1, x2, y2] = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]] as [
        number,
        number,
        number,
        number,
      ];
      found.push({ confidence, box: [x1 * 640, y1 * 480, x2 * 640, y2 * 480] });
    }
    return found;
  },
};

class OnnxPartDetector implements PartDetector {
  readonly label: string;
  readonly #network: PartNetwork;
  readonly #session: InferenceSession;

  constructor(label: string, network: PartNetwork, session: InferenceSession) {
    this.label = label;
    this.#network = network;
    this.#session = session;
  }

  async find(picture: PixelPicture): Promise<FoundPart[]> {
    const { tilePx, maxIou } = this.#network;
    const found: FoundPart[] = [];
    for (const tile of listTiles(picture, tilePx)) found.push(...(await this.#findIn(picture, tile)));
    return suppress(found, maxIou);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #findIn(picture: PixelPicture, tile: Box): Promise<FoundPart[]> {
    const { form, decode } = this.#network;
    const { planes, toPicture } = await fillTensor(picture, tile, form);
    const outputs = await this.#infer(planes).catch((cause: unknown) => {
      const message = `Cannot run model "${this.label}": ${errorMessage(cause).split('\n')[0]}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    });
    return decode(outputs)
      .map(({ confidence, box }) => ({ confidence, box: toPicture(box) }))
      .filter(({ box }) => box.every(Number.isFinite) && box[2] > box[0] && box[3] > box[1]);
  }

  /** Looks at an empty picture. */
  async warmUp(): Promise<void> {
    const { size, rows = size } = this.#network.form;
    await this.#infer(new Float32Array(3 * rows * size));
  }

  async #infer(planes: Float32Array): Promise<Map<string, Float32Array>> {
    const { form, input, outputs } = this.#network;
    const feeds = { [input]: new Tensor('float32', planes, [1, 3, form.rows ?? form.size, form.size]) };
    return runFloats(this.#session, feeds, outputs);
  }
}

/** The most confident of those that lie over one another. */
function suppress(found: readonly FoundPart[], maxIou: number): FoundPart[] {
  const kept: FoundPart[] = [];
  for (const part of [...found].sort((a, b) => b.confidence - a.confidence)) {
    if (kept.every((other) => computeIou(other.box, part.box) <= maxIou)) kept.push(part);
  }
  return kept;
}

async function openDetector(
  model: VerifiedNetwork,
  network: PartNetwork,
  isTried: boolean,
): Promise<PartDetector> {
  const { form, input, outputs, task, format } = network;
  const { name, decoding } = model.manifest;
  if (decoding.format !== format) {
    const why = `${format} is expected to be decoded, and not ${decoding.format}`;
    throw new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  }
  const session = await openNetworkSession(model, {
    tasks: [task],
    uses: {
      inputs: [{ name: input, dtype: 'float32', shape: [1, 3, form.rows ?? form.size, form.size] }],
      outputs: outputs.map((output) => ({ name: output, dtype: 'float32' })),
    },
    trial: isTried ? { freeAxis: form.size } : 'untried',
  });
  const detector = new OnnxPartDetector(labelNetwork(model), network, session);
  try {
    await detector.warmUp();
    return detector;
  } catch (cause) {
    await detector.close();
    const message = `Cannot load model "${name}": ${explainLoading(name, cause)}`;
    throw new NgatuError('MODEL_INVALID', message, { cause });
  }
}

/**
 * @param isTried whether the file is tried in a process of its own first; not by default: where pictures are blurred, it was tried before
 * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
 */
export function openFaceDetector(model: VerifiedNetwork, isTried = false): Promise<PartDetector> {
  return openDetector(model, YUNET, isTried);
}

/** Another detector of faces than the one that blurs, for measurements. @throws NgatuError MODEL_INVALID */
export function openOtherFaceDetector(model: VerifiedNetwork): Promise<PartDetector> {
  return openDetector(model, RFB, false);
}
