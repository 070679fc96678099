import type { Frame } from '../frame/frame.ts';
import { BilinearSampler, type TensorLayout } from './bilinear-sampler.ts';

/** How a network wants its pictures; see `preprocessing` of a model manifest. */
export interface YoloxInputForm {
  readonly colourOrder: 'bgr' | 'rgb';
  /** Taken from each value 0–255, one number for each plane in the network's order, or one for all. */
  readonly mean: readonly number[];
  /** What is left is divided by it. */
  readonly std: readonly number[];
  /** Value 0–255 right of and below the picture. YOLOX was trained with 114 (its `preproc`). */
  readonly padValue: number;
  /** A picture of another shape is stretched; else its sides are kept and it is never enlarged. */
  readonly isStretched: boolean;
}

/** A frame as the network takes it. */
export interface YoloxInput {
  /** `[1, 3, height, width]` float32 NCHW; owned by the buffer that made it and written again by its next `fill`. */
  readonly planes: Float32Array;
  /** Factors from network to frame pixels: 1 where the frame was not scaled. */
  readonly scaleX: number;
  readonly scaleY: number;
}

type Picture = Pick<Frame, 'width' | 'height' | 'pixels'>;
interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Writes BGR24 pictures into three float planes, at the top left; what is right of and below the picture is padding. A picture that
 * fits is copied exactly, a larger one is scaled bilinearly.
 */
export class YoloxInputBuffer {
  readonly #form: YoloxInputForm;
  readonly #isPlain: boolean;
  #planes = new Float32Array(0);
  #key = '';
  #sampler: BilinearSampler | undefined;

  constructor(form: YoloxInputForm) {
    this.#form = form;
    this.#isPlain = form.mean.every((value) => value === 0) && form.std.every((value) => value === 1);
  }

  /** `inputWidth` and `inputHeight` are the size of the planes, px. */
  fill(picture: Picture, inputWidth: number, inputHeight: number): YoloxInput {
    const input = { width: inputWidth, height: inputHeight };
    const size = this.#form.isStretched ? input : computeFit(picture, input);
    const key = `${inputWidth}x${inputHeight}:${size.width}x${size.height}`;
    if (key !== this.#key) {
      this.#planes = new Float32Array(3 * inputWidth * inputHeight);
      for (let channel = 0; channel < 3; channel++) this.#pad(channel, inputWidth * inputHeight);
      this.#key = key;
    }
    const layout = this.#layOut(input);
    if (size.width === picture.width && size.height === picture.height)
      copyPlanes(picture, this.#planes, layout);
    else this.#scale(picture, size, layout);
    if (!this.#isPlain) this.#normalise(size, input);
    return { planes: this.#planes, scaleX: picture.width / size.width, scaleY: picture.height / size.height };
  }

  #layOut({ width, height }: Size): TensorLayout {
    const plane = width * height;
    const isBgr = this.#form.colourOrder === 'bgr';
    return {
      rowStride: width,
      pixelStride: 1,
      blueOffset: isBgr ? 0 : 2 * plane,
      greenOffset: plane,
      redOffset: isBgr ? 2 * plane : 0,
    };
  }

  #pad(channel: number, plane: number): void {
    const value = (this.#form.padValue - this.#meanOf(channel)) / this.#stdOf(channel);
    this.#planes.fill(value, channel * plane, (channel + 1) * plane);
  }

  #meanOf(channel: number): number {
    const { mean } = this.#form;
    return mean[channel] ?? mean[0] ?? 0;
  }

  #stdOf(channel: number): number {
    const { std } = this.#form;
    return std[channel] ?? std[0] ?? 1;
  }

  #scale(picture: Picture, to: Size, layout: TensorLayout): void {
    const sizes = {
      fromWidth: picture.width,
      fromHeight: picture.height,
      toWidth: to.width,
      toHeight: to.height,
    };
    if (this.#sampler?.isFor(sizes) !== true) this.#sampler = new BilinearSampler(sizes);
    this.#sampler.fill(picture.pixels, this.#planes, layout);
  }

  /** The picture only: the padding keeps its value. */
  #normalise(size: Size, input: Size): void {
    for (let channel = 0; channel < 3; channel++) {
      const mean = this.#meanOf(channel);
      const factor = 1 / this.#stdOf(channel);
      for (let y = 0; y < size.height; y++) {
        const from = (channel * input.height + y) * input.width;
        for (let at = from; at < from + size.width; at++)
          this.#planes[at] = ((this.#planes[at] as number) - mean) * factor;
      }
    }
  }
}

function computeFit(picture: Size, input: Size): Size {
  const shrink = Math.min(1, input.width / picture.width, input.height / picture.height);
  if (shrink === 1) return picture;
  return {
    width: Math.max(1, Math.floor(picture.width * shrink)),
    height: Math.max(1, Math.floor(picture.height * shrink)),
  };
}

/** Interleaved BGR bytes → three float planes, top left. */
function copyPlanes({ pixels, width, height }: Picture, planes: Float32Array, layout: TensorLayout): void {
  const { rowStride, blueOffset, greenOffset, redOffset } = layout;
  let from = 0;
  for (let y = 0; y < height; y++) {
    let to = y * rowStride;
    for (const end = to + width; to < end; to++, from += 3) {
      planes[to + blueOffset] = pixels[from] as number;
      planes[to + greenOffset] = pixels[from + 1] as number;
      planes[to + redOffset] = pixels[from + 2] as number;
    }
  }
}
