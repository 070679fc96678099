import type { Scene } from '@ngatu/contract';
import type { Frame } from '../frame/frame.ts';
import type { Box } from '../geometry/box.ts';
import { BilinearSampler } from './bilinear-sampler.ts';
import type { Detection, Detector, ModelIdentity, RoadPart } from './detection.ts';
import { isOneObject } from './one-object.ts';

/** Which parts of the picture are looked at enlarged; see `analysis` of a scene. */
export type CloseUpChoice = Pick<Scene['analysis'], 'closeUps' | 'overviewWidth'>;
type CloseUp = NonNullable<CloseUpChoice['closeUps']>[number];

/**
 * What is larger than this in the enlarged part, px (square root of the box's area), is left to the look at the whole picture: it is not why
 * one looks closer, and the network knows less of the very large. Of the held-out scenes and clips of road-users-nano motorbikes gain up to here.
 */
const MAX_OBJECT_PX = 64;
/** A box that ends within so many enlarged pixels of an inner edge of the part was cut by it. */
const EDGE_PX = 2;
/** As within one picture (YOLOX's own demo). */
const MAX_IOU = 0.45;

/**
 * Looks at the whole picture and besides, one after the other, at parts of it enlarged: small and far road users are found there that the grid
 * of the network is too coarse for. What both find is one: the surer finding stays. Each look costs as much as its pixels.
 */
export class CloseUpDetector implements Detector {
  readonly #detector: Detector;
  readonly #closeUps: readonly CloseUp[];
  readonly #overviewWidth: number;
  readonly #overview = new PictureScaler();
  readonly #scalers: readonly PictureScaler[];

  /** @param detector stays the caller's until this one is closed, which closes it */
  constructor(detector: Detector, { closeUps = [], overviewWidth }: CloseUpChoice) {
    this.#detector = detector;
    this.#closeUps = closeUps;
    this.#overviewWidth = overviewWidth ?? Number.POSITIVE_INFINITY;
    this.#scalers = closeUps.map(() => new PictureScaler());
  }

  get model(): ModelIdentity {
    return this.#detector.model;
  }

  async detect(frame: Frame, parts?: RoadPart[]): Promise<Detection[]> {
    const [users, things]: [Detection[], RoadPart[]] = [[], []];
    const wanted = parts === undefined ? undefined : things;
    users.push(...(await this.#detector.detect(this.#takeOverview(frame), wanted)));
    for (const [index, closeUp] of this.#closeUps.entries()) {
      const look = this.#takeCloseUp(frame, index, closeUp);
      if (look === undefined) continue;
      const seen: RoadPart[] = [];
      const found = await this.#detector.detect(look.picture, wanted && seen);
      users.push(...found.flatMap((each) => moveBack(each, look, frame)));
      things.push(...seen.flatMap((each) => moveBack(each, look, frame)));
    }
    parts?.push(...keepSurest(things));
    return keepSurest(users);
  }

  close(): Promise<void> {
    return this.#detector.close();
  }

  #takeOverview(frame: Frame): Frame {
    if (frame.width <= this.#overviewWidth) return frame;
    const width = this.#overviewWidth;
    const height = Math.max(1, Math.round((frame.height * width) / frame.width));
    return { ...frame, width, height, pixels: this.#overview.scale(frame, { width, height }) };
  }

  /** The part as a picture of its own; undefined where the picture that came is too small for it. */
  #takeCloseUp(frame: Frame, index: number, { box, enlarge }: CloseUp): Look | undefined {
    const [left, right] = [box[0], box[2]].map((x) => clampTo(x, frame.sourceWidth)) as [number, number];
    const [top, bottom] = [box[1], box[3]].map((y) => clampTo(y, frame.sourceHeight)) as [number, number];
    const size = {
      width: Math.round((right - left) * enlarge),
      height: Math.round((bottom - top) * enlarge),
    };
    const cut = cutOut(frame, [left, top, right, bottom]);
    if (cut === undefined || size.width < 1 || size.height < 1) return undefined;
    const pixels = this.#scalers[index]?.scale(cut, size) ?? cut.pixels;
    const source = { sourceWidth: right - left, sourceHeight: bottom - top };
    return { left, top, picture: { ...frame, ...size, ...source, pixels, lamps: [] } };
  }
}

/** A part of a frame as a picture of its own, and where it lies, source pixels. */
interface Look {
  readonly left: number;
  readonly top: number;
  readonly picture: Frame;
}

type Picture = Pick<Frame, 'width' | 'height' | 'pixels'>;

/** Scales BGR24 pictures to BGR24 pictures; positions and weights are computed once for each pair of sizes. */
class PictureScaler {
  #sampler: BilinearSampler | undefined;
  #values = new Float32Array(0);

  scale(picture: Picture, { width, height }: { width: number; height: number }): Uint8Array {
    const sizes = { fromWidth: picture.width, fromHeight: picture.height, toWidth: width, toHeight: height };
    if (this.#sampler?.isFor(sizes) !== true) {
      this.#sampler = new BilinearSampler(sizes);
      this.#values = new Float32Array(3 * width * height);
    }
    const layout = { rowStride: 3 * width, pixelStride: 3, blueOffset: 0, greenOffset: 1, redOffset: 2 };
    this.#sampler.fill(picture.pixels, this.#values, layout);
    const pixels = new Uint8Array(this.#values.length);
    for (let i = 0; i < pixels.length; i++) pixels[i] = (this.#values[i] as number) + 0.5;
    return pixels;
  }
}

/** The pixels of a frame inside a box in source pixels; undefined where there is none. */
function cutOut(frame: Frame, [x1, y1, x2, y2]: Box): Picture | undefined {
  const [scaleX, scaleY] = [frame.width / frame.sourceWidth, frame.height / frame.sourceHeight];
  const [left, top] = [Math.round(x1 * scaleX), Math.round(y1 * scaleY)];
  const [right, bottom] = [Math.round(x2 * scaleX), Math.round(y2 * scaleY)];
  const [width, height] = [right - left, bottom - top];
  if (width < 1 || height < 1) return undefined;
  const pixels = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((top + row) * frame.width + left);
    pixels.set(frame.pixels.subarray(from, from + 3 * width), 3 * row * width);
  }
  return { width, height, pixels };
}

/** A finding of a part in pixels of the source picture; none where an edge of the part cut it, or where it is large. */
function moveBack<T extends Detection | RoadPart>(
  finding: T,
  { left, top, picture: part }: Look,
  frame: Frame,
): T[] {
  const [x1, y1, x2, y2] = finding.box;
  const enlarged = part.width / part.sourceWidth;
  if (Math.sqrt((x2 - x1) * (y2 - y1)) * enlarged > MAX_OBJECT_PX) return [];
  const edge = EDGE_PX / enlarged;
  const isCut =
    (x1 < edge && left > 0) ||
    (y1 < edge && top > 0) ||
    (x2 > part.sourceWidth - edge && left + part.sourceWidth < frame.sourceWidth) ||
    (y2 > part.sourceHeight - edge && top + part.sourceHeight < frame.sourceHeight);
  return isCut ? [] : [{ ...finding, box: [x1 + left, y1 + top, x2 + left, y2 + top] }];
}

/** Non-maximum suppression, as within one picture; most confident first. */
function keepSurest<T extends Detection | RoadPart>(findings: readonly T[]): T[] {
  const kept: T[] = [];
  for (const finding of findings.toSorted((a, b) => b.confidence - a.confidence)) {
    if (!kept.some((surer) => isOneObject(finding, surer, MAX_IOU))) kept.push(finding);
  }
  return kept;
}

function clampTo(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}
