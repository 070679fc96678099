import { errorMessage, type ModelManifest, type ModelTask, NgatuError } from '@ngatu/contract';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { type Box, computeArea, computeIntersection, computeIou } from '../geometry/box.ts';
import { explainLoading, type VerifiedNetwork } from '../model/model-file.ts';
import { openNetworkSession } from '../model/onnx-session.ts';
import { decodeYoloxGrid, YOLOX_FIRST_CLASS } from '../model/yolox-grid.ts';
import type { PlatePicture } from './plate-reading.ts';

export interface FoundPlate {
  readonly confidence: number;
  /** Pixels of the picture. */
  readonly box: Box;
}

export interface PlateDetectorOptions {
  /** Findings below this are left out, 0–1. */
  readonly minConfidence: number;
  /** Network pixels per picture pixel at which a region is looked at in parts, besides the look at the whole. Default `[1]`. */
  readonly zooms?: readonly number[];
  /** Whether the file is tried in a process of its own first; not by default: where plates are looked for, it was tried before. */
  readonly isTried?: boolean;
}

/** Below this a finding is more often no plate. See docs/plates.md. */
export const DEFAULT_PLATE_DETECTOR_CONFIDENCE = 0.3;

/** How one kind of network takes its picture and tells its boxes. */
interface Form {
  readonly input: string;
  readonly output: string;
  readonly size: number;
  /** Whether the network takes a smaller square as well. */
  readonly isFree: boolean;
  readonly order: 'rgb' | 'bgr';
  readonly scale: number;
  readonly pad: number;
  readonly place: 'top-left' | 'centre';
  /** Lengths of the axes of the output for a square of `size`; undefined where any will do. */
  dims(size: number): readonly (number | undefined)[];
  decode(values: Float32Array, size: number): FoundPlate[];
}

interface Window {
  readonly region: Box;
  /** Network pixels per picture pixel. */
  readonly scale: number;
  /** Side of the square that the network is given, px. */
  readonly size: number;
}

const MAX_IOU = 0.45;
/** One of two boxes that lies in the other by this much is the same plate, cut off by the edge of a window. */
const MAX_INSIDE = 0.8;
/** A far plate is a few pixels: a region is enlarged at most this much. */
const MAX_ENLARGEMENT = 3;
const OVERLAP_SHARE = 0.2;
const MAX_WINDOWS = 48;
const TASKS: readonly ModelTask[] = ['plate-detector', 'road-user-detector'];
/** Side of the input where the network leaves it free, px. */
const FREE_SIDE = 416;
/** There the whole is also looked at made smaller by these factors: a plate that fills the region was never so large in training. */
const REDUCTIONS = [2, 4, 8];
const SIDE_STEP = 32;
const PAD_VALUE = 114;
/** Rows of a grid that are less sure are never looked at again, whatever is asked for. */
const LEAST_CONFIDENCE = 0.01;
const ROW = ['batch', 'x1', 'y1', 'x2', 'y2', 'class', 'confidence'];

/**
 * Finds plates. Takes two kinds of networks, as their manifests say: `boxes-after-nms` (`[n, 7]` = batch, x1, y1, x2, y2, class, confidence), and
 * `yolox` (`[1, N, 5 + classes]`) with a class that is labelled `plate`. A picture is laid into a square.
 */
export class PlateDetector {
  readonly #session: InferenceSession;
  readonly #form: Form;
  readonly #options: PlateDetectorOptions;
  readonly #name: string;

  private constructor(name: string, session: InferenceSession, form: Form, options: PlateDetectorOptions) {
    this.#name = name;
    this.#session = session;
    this.#form = form;
    this.#options = options;
  }

  /**
   * Holds the file against its manifest, opens it and looks at an empty picture.
   * @throws NgatuError MODEL_INVALID; CHILD_FAILED (retryable) where no trial could be started
   */
  static async open(
    model: VerifiedNetwork,
    threads: number,
    options: PlateDetectorOptions,
  ): Promise<PlateDetector> {
    const { name } = model.manifest;
    const form = describeForm(model.manifest);
    const trial = options.isTried === true ? { freeAxis: form.size } : 'untried';
    const session = await openNetworkSession(model, { tasks: TASKS, threads, trial });
    const detector = new PlateDetector(name, session, form, options);
    try {
      await detector.#infer(new Float32Array(3 * form.size * form.size), form.size);
      return detector;
    } catch (cause) {
      await detector.close();
      const message = `Cannot load model "${name}": ${explainLoading(name, cause)}`;
      throw new NgatuError('MODEL_INVALID', message, { cause });
    }
  }

  /**
   * Looks at a region of a picture as a whole, and at its parts in full resolution where the whole has to be made smaller for the network.
   * @throws NgatuError MODEL_INVALID where the inference fails
   */
  async find(picture: PlatePicture, within: Box): Promise<readonly FoundPlate[]> {
    const found: FoundPlate[] = [];
    const { size, isFree } = this.#form;
    for (const window of listWindows(picture, within, { size, isFree, zooms: this.#options.zooms ?? [1] }))
      found.push(...(await this.#findIn(picture, window)));
    return suppress(found.filter(({ confidence }) => confidence >= this.#options.minConfidence));
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #findIn(picture: PlatePicture, window: Window): Promise<FoundPlate[]> {
    const { place } = this.#form;
    const { size } = window;
    const [left, top, right, bottom] = window.region;
    const width = Math.min(size, Math.max(1, Math.round((right - left) * window.scale)));
    const height = Math.min(size, Math.max(1, Math.round((bottom - top) * window.scale)));
    const offset = place === 'centre' ? [(size - width) >> 1, (size - height) >> 1] : [0, 0];
    const [offsetX = 0, offsetY = 0] = offset;
    try {
      const pixels = await sharp(picture.data, {
        raw: { width: picture.width, height: picture.height, channels: 3 },
      })
        .extract({ left, top, width: right - left, height: bottom - top })
        .resize(width, height, { fit: 'fill', kernel: 'linear' })
        .raw()
        .toBuffer();
      const planes = fillPlanes(pixels, { width, height, offsetX, offsetY, size }, this.#form);
      const values = await this.#infer(planes, size);
      const [scaleX, scaleY] = [(right - left) / width, (bottom - top) / height];
      return this.#form.decode(values, size).flatMap(({ confidence, box: [x1, y1, x2, y2] }) => {
        const box: Box = [
          Math.max(left, left + (x1 - offsetX) * scaleX),
          Math.max(top, top + (y1 - offsetY) * scaleY),
          Math.min(right, left + (x2 - offsetX) * scaleX),
          Math.min(bottom, top + (y2 - offsetY) * scaleY),
        ];
        return box.every(Number.isFinite) && computeArea(box) > 0 ? [{ confidence, box }] : [];
      });
    } catch (cause) {
      const message = `Cannot find plates with "${this.#name}": ${errorMessage(cause).split('\n')[0]}`;
      throw new NgatuError('MODEL_INVALID', message, { retryable: true, cause });
    }
  }

  async #infer(planes: Float32Array, size: number): Promise<Float32Array> {
    const { input, output } = this.#form;
    const dims = this.#form.dims(size);
    const feeds = { [input]: new Tensor('float32', planes, [1, 3, size, size]) };
    const found = (await this.#session.run(feeds, [output]))[output];
    if (!(found?.data instanceof Float32Array)) throw new Error(`output "${output}" is not float32`);
    const fits =
      found.dims.length === dims.length &&
      found.dims.every((length, axis) => dims[axis] === undefined || dims[axis] === length);
    if (fits) return found.data;
    throw new Error(
      `output [${dims.map((length) => length ?? 'n').join(', ')}] expected, found [${found.dims.join(', ')}]`,
    );
  }
}

/** @throws NgatuError MODEL_INVALID where no plates are found with such a network */
function describeForm(manifest: ModelManifest): Form {
  const { name, inputs, outputs, preprocessing, decoding, labels } = manifest;
  const refuse = (why: string): NgatuError =>
    new NgatuError('MODEL_INVALID', `Cannot load model "${name}": ${why}`);
  const { colourOrder: order, mean, std, fit, place = 'top-left', padValue = PAD_VALUE } = preprocessing;
  const [input, ...others] = inputs;
  const [output] = outputs;
  const size = findSide(input?.shape ?? []);
  if (input === undefined || output === undefined || others.length > 0 || size === undefined)
    throw refuse('one input [1, 3, side, side] and an output are expected');
  const isPlain = fit !== 'stretch' && mean.every((value) => value === 0) && std.length === 1;
  if (order === 'grey' || !isPlain)
    throw refuse('pictures in colour are expected, laid in and only divided by a number');
  const scale = 1 / (std[0] ?? 1);
  const isFree = input.shape[2] !== size;
  const form = {
    input: input.name,
    output: output.name,
    size,
    isFree,
    order,
    scale,
    pad: padValue * scale,
    place,
  };
  if (decoding.format === 'boxes-after-nms') {
    if (decoding.columns.join() !== ROW.join()) throw refuse(`rows of ${ROW.join(', ')} are expected`);
    return { ...form, dims: () => [undefined, ROW.length], decode: decodeRows };
  }
  if (decoding.format !== 'yolox') throw refuse(`no detector of plates decodes ${decoding.format}`);
  const plate = Object.entries(labels).find(([, label]) => label === 'plate')?.[0];
  if (plate === undefined || Number(plate) >= decoding.classes) throw refuse('it has no class "plate"');
  const { strides, classes } = decoding;
  const rowLength = YOLOX_FIRST_CLASS + classes;
  const countCells = (side: number): number => strides.reduce((sum, stride) => sum + (side / stride) ** 2, 0);
  return {
    ...form,
    dims: (side) => [1, countCells(side), rowLength],
    decode: (values, side) => {
      const rate = (at: number): number => values[at + YOLOX_FIRST_CLASS + Number(plate)] ?? 0;
      return decodeYoloxGrid(
        values,
        { columns: side, rows: side, strides, rowLength },
        rate,
        LEAST_CONFIDENCE,
      );
    },
  };
}

function findSide([batch, channels, rows, columns]: readonly (number | string)[]): number | undefined {
  if ((typeof batch === 'number' && batch !== 1) || channels !== 3) return undefined;
  if (typeof rows === 'string' && typeof columns === 'string') return FREE_SIDE;
  return typeof rows === 'number' && rows === columns ? rows : undefined;
}

function decodeRows(values: Float32Array): FoundPlate[] {
  const found: FoundPlate[] = [];
  for (let at = 0; at + 6 < values.length; at += 7) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = values.subarray(at + 1, at + 5);
    found.push({ confidence: values[at + 6] ?? 0, box: [x1, y1, x2, y2] });
  }
  return found;
}

function fillPlanes(
  pixels: Uint8Array,
  at: {
    readonly width: number;
    readonly height: number;
    readonly offsetX: number;
    readonly offsetY: number;
    readonly size: number;
  },
  { order, scale, pad }: Form,
): Float32Array {
  const area = at.size * at.size;
  const planes = new Float32Array(3 * area).fill(pad);
  const [first, third] = order === 'rgb' ? [0, 2 * area] : [2 * area, 0];
  let from = 0;
  for (let y = 0; y < at.height; y++) {
    let to = (y + at.offsetY) * at.size + at.offsetX;
    for (const end = to + at.width; to < end; to++, from += 3) {
      planes[to + first] = (pixels[from] as number) * scale;
      planes[to + area] = (pixels[from + 1] as number) * scale;
      planes[to + third] = (pixels[from + 2] as number) * scale;
    }
  }
  return planes;
}

/** The region as a whole, in halves of its size where the network allows it, and in parts at each zoom that is finer than the whole. */
function listWindows(
  { width, height }: PlatePicture,
  within: Box,
  {
    size,
    isFree,
    zooms,
  }: { readonly size: number; readonly isFree: boolean; readonly zooms: readonly number[] },
): Window[] {
  const left = Math.min(width - 1, Math.max(0, Math.floor(within[0])));
  const top = Math.min(height - 1, Math.max(0, Math.floor(within[1])));
  const right = Math.max(left + 1, Math.min(width, Math.ceil(within[2])));
  const bottom = Math.max(top + 1, Math.min(height, Math.ceil(within[3])));
  const region: Box = [left, top, right, bottom];
  const whole = Math.min(MAX_ENLARGEMENT, size / Math.max(right - left, bottom - top));
  const finer = zooms.filter((zoom) => zoom > whole * 1.15 && zoom <= MAX_ENLARGEMENT);
  const reduced = (isFree ? REDUCTIONS : []).map((part): Window => {
    const side = Math.ceil(size / part / SIDE_STEP) * SIDE_STEP;
    return { region, scale: whole / part, size: side };
  });
  return [
    { region, scale: whole, size },
    ...reduced,
    ...finer.flatMap((zoom) => cutWindows(region, size, zoom)),
  ];
}

/** Squares that cover a region; coarser than asked for where they would be too many. */
function cutWindows([left, top, right, bottom]: Box, size: number, zoom: number): Window[] {
  let side = Math.floor(size / zoom);
  const count = (length: number): number =>
    length <= side ? 1 : Math.ceil((length - side) / (side * (1 - OVERLAP_SHARE))) + 1;
  while (count(right - left) * count(bottom - top) > MAX_WINDOWS) side = Math.ceil(side * 1.15);
  const [columns, rows] = [count(right - left), count(bottom - top)];
  const windows: Window[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = columns === 1 ? left : left + Math.round(((right - left - side) * column) / (columns - 1));
      const y = rows === 1 ? top : top + Math.round(((bottom - top - side) * row) / (rows - 1));
      const region: Box = [x, y, Math.min(right, x + side), Math.min(bottom, y + side)];
      windows.push({ region, scale: size / side, size });
    }
  }
  return windows;
}

/** The most confident of those that lie over one another or in one another. */
function suppress(found: readonly FoundPlate[]): FoundPlate[] {
  const kept: FoundPlate[] = [];
  for (const plate of [...found].sort((a, b) => b.confidence - a.confidence)) {
    const isNew = kept.every(({ box }) => {
      const inside = computeIntersection(box, plate.box) / Math.min(computeArea(box), computeArea(plate.box));
      return computeIou(box, plate.box) <= MAX_IOU && inside <= MAX_INSIDE;
    });
    if (isNew) kept.push(plate);
  }
  return kept;
}
