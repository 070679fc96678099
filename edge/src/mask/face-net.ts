import { isDeepStrictEqual } from 'node:util';
import { errorMessage, type ModelManifest, type ModelTask, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { type Box, computeIou, type Point } from '../geometry/box.ts';
import { explainLoading, labelNetwork, type VerifiedNetwork } from '../model/model-file.ts';
import { openNetworkSession, runFloats } from '../model/onnx-session.ts';
import {
  decodeAizoo,
  decodeRfb,
  decodeYoloxFaces,
  decodeYunet,
  type FaceFinding,
  type NetOutputs,
} from './face-decoder.ts';
import {
  type BgrPicture,
  fillTensor,
  type PictureRegion,
  type TensorColours,
  type TensorPlace,
} from './face-picture.ts';

/** Finds faces in a picture and, where it can, tells masks. One call at a time. */
export interface FaceNet {
  /** Name and the beginning of the digest: `yunet-n-640@25a606a1`. */
  readonly label: string;
  /**
   * Faces of at least `minConfidence`, the most confident first, none over another. Boxes in pixels of the picture.
   * @throws NgatuError MODEL_INVALID (retryable) where the inference fails
   */
  find(picture: BgrPicture, options: FindOptions): Promise<FaceFinding[]>;
  close(): Promise<void>;
}

export interface FindOptions {
  readonly minConfidence: number;
  /** The part that is looked at; the whole picture where it is left out. */
  readonly region?: PictureRegion;
  /** Longer side at which it is looked at, px; a network of one size of picture takes no heed of it. */
  readonly sidePx?: number;
}

const TASKS: readonly ModelTask[] = ['face-detector', 'mask-classifier'];

interface Network {
  readonly colours: TensorColours;
  readonly input: string;
  readonly outputs: readonly string[];
  /** Findings that overlap more are one. */
  readonly maxIou: number;
  /** What has to stand in the manifest besides, where the format alone does not say it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** @param sidePx the longer side, where the network leaves it free */
  place(width: number, height: number, sidePx?: number): TensorPlace;
  decode(outputs: NetOutputs, place: TensorPlace, minConfidence: number): FaceFinding[];
}

function fit(width: number, height: number, scale: number): Pick<TensorPlace, 'width' | 'height'> {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Longer side at which a network looks that takes pictures of any size, px: faces of 8 px in small pictures become 16, and a look stays cheap. */
const FREE_SIDE = 800;
const SIDE_STEP = 32;

function placeFree(width: number, height: number, sidePx = FREE_SIDE): TensorPlace {
  const scaled = fit(width, height, sidePx / Math.max(width, height));
  const step = (side: number): number => Math.ceil(side / SIDE_STEP) * SIDE_STEP;
  return { ...scaled, columns: step(scaled.width), rows: step(scaled.height) };
}

/** The networks that are known, by the format in which they are decoded. */
const NETWORKS: Readonly<Partial<Record<ModelManifest['decoding']['format'], Network>>> = {
  // `input` [1, 3, 640, 640] BGR 0–255
  yunet: {
    colours: { order: 'bgr', scale: 1, offset: 0 },
    input: 'input',
    outputs: ['cls', 'obj', 'bbox', 'kps'].flatMap((part) =>
      [8, 16, 32].map((stride) => `${part}_${stride}`),
    ),
    maxIou: 0.3,
    decode: decodeYunet,
    place: (width, height) => ({
      ...fit(width, height, 640 / Math.max(width, height)),
      columns: 640,
      rows: 640,
    }),
  },
  // `data` [1, 3, 360, 360] RGB 0–1, stretched
  aizoo: {
    colours: { order: 'rgb', scale: 1 / 255, offset: 0 },
    input: 'data',
    outputs: ['loc', 'cls'],
    maxIou: 0.4,
    place: () => ({ width: 360, height: 360, columns: 360, rows: 360 }),
    decode: decodeAizoo,
  },
  // `input` [1, 3, 480, 640] RGB (x − 127) / 128, stretched
  rfb: {
    colours: { order: 'rgb', scale: 1 / 128, offset: -127 / 128 },
    input: 'input',
    outputs: ['scores', 'boxes'],
    maxIou: 0.35,
    place: () => ({ width: 640, height: 480, columns: 640, rows: 480 }),
    decode: decodeRfb,
  },
  // `images` [1, 3, height, width] BGR 0–255, multiples of 32
  yolox: {
    colours: { order: 'bgr', scale: 1, offset: 0, pad: 114 },
    input: 'images',
    outputs: ['output'],
    maxIou: 0.45,
    labels: { 0: 'mask', 1: 'no-mask' },
    place: placeFree,
    decode: decodeYoloxFaces,
  },
};

class OnnxFaceNet implements FaceNet {
  readonly label: string;
  readonly #network: Network;
  readonly #session: InferenceSession;

  constructor(label: string, network: Network, session: InferenceSession) {
    this.label = label;
    this.#network = network;
    this.#session = session;
  }

  async find(picture: BgrPicture, options: FindOptions): Promise<FaceFinding[]> {
    const { minConfidence } = options;
    const part = options.region ?? { x: 0, y: 0, width: picture.width, height: picture.height };
    const { colours, decode, maxIou } = this.#network;
    const place = this.#network.place(part.width, part.height, options.sidePx);
    const planes = await fillTensor(picture, part, place, colours);
    const outputs = await this.#infer(planes, place);
    const scaleX = part.width / place.width;
    const scaleY = part.height / place.height;
    const toPicture = ([x, y]: Point): Point => [part.x + x * scaleX, part.y + y * scaleY];
    return suppress(decode(outputs, place, minConfidence), maxIou).map(({ box, landmarks, ...rest }) => ({
      ...rest,
      box: [...toPicture([box[0], box[1]]), ...toPicture([box[2], box[3]])] as unknown as Box,
      ...(landmarks === undefined ? {} : { landmarks: landmarks.map(toPicture) }),
    }));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #infer(planes: Float32Array, { rows, columns }: TensorPlace): Promise<NetOutputs> {
    const { input, outputs } = this.#network;
    try {
      const feeds = { [input]: new Tensor('float32', planes, [1, 3, rows, columns]) };
      return await runFloats(this.#session, feeds, outputs);
    } catch (cause) {
      const message = `Cannot run model "${this.label}": ${errorMessage(cause).split('\n')[0]}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
  }
}

/** The most confident of those that lie over one another. */
function suppress(found: FaceFinding[], maxIou: number): FaceFinding[] {
  const kept: FaceFinding[] = [];
  for (const finding of found.sort((a, b) => b.confidence - a.confidence)) {
    if (kept.length >= MAX_FACES) break;
    if (kept.every(({ box }) => computeIou(box, finding.box) <= maxIou)) kept.push(finding);
  }
  return kept;
}

/** More faces than this are not told apart in one picture: a bound on work, not on crowds. */
const MAX_FACES = 300;

/**
 * Holds a file against its manifest and opens it; one empty picture was looked at when the promise resolves.
 * @param isTried whether the file is tried in a process of its own first, as is done with what comes from outside
 * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
 */
export async function openFaceNet(model: VerifiedNetwork, isTried = false): Promise<FaceNet> {
  const { name, decoding, labels } = model.manifest;
  const network = NETWORKS[decoding.format];
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  if (network === undefined) throw refuse(`no finder of faces decodes ${decoding.format}`);
  if (network.labels !== undefined && !isDeepStrictEqual({ ...labels }, { ...network.labels }))
    throw refuse(`labels ${JSON.stringify(network.labels)} expected, found ${JSON.stringify(labels)}`);
  const { rows, columns } = network.place(1, 1);
  const session = await openNetworkSession(model, {
    tasks: TASKS,
    uses: {
      inputs: [{ name: network.input, dtype: 'float32', shape: [1, 3, rows, columns] }],
      outputs: network.outputs.map((output) => ({ name: output, dtype: 'float32' })),
    },
    trial: isTried ? { freeAxis: 64 } : 'untried',
  });
  const net = new OnnxFaceNet(labelNetwork(model), network, session);
  try {
    const pixels = new Uint8Array(3 * rows * columns);
    await net.find({ width: columns, height: rows, pixels }, { minConfidence: 1 });
    return net;
  } catch (cause) {
    await net.close();
    const message = `Cannot load model "${name}": ${explainLoading(name, cause)}`;
    throw new NgatuError('MODEL_INVALID', message, { cause });
  }
}
