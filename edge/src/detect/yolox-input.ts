import type { Frame } from '../frame/frame.ts';
import { BilinearSampler, type TensorLayout } from './bilinear-sampler.ts';

/** YOLOX was trained with letterbox borders of this grey (its `preproc`). */
export const PAD_VALUE = 114;

/** A frame as the network takes it. */
export interface YoloxInput {
  /** `[1, 3, height, width]` float32 NCHW BGR 0–255; owned by the buffer that made it and written again by its next `fill`. */
  readonly planes: Float32Array;
  /** Factors from network to frame pixels: 1 where the frame was not scaled. */
  readonly scaleX: number;
  readonly scaleY: number;
}

type Picture = Pick<Frame, 'width' | 'height' | 'pixels'>;

/**
 * Writes pictures into three float planes, letterboxed at the top left and never enlarged; what is right of and below the picture
 * is grey. A picture that fits is copied exactly, a larger one is scaled bilinearly.
 */
export class YoloxInputBuffer {
  #planes = new Float32Array(0);
  #key = '';
  #sampler: BilinearSampler | undefined;

  /** `inputWidth` and `inputHeight` are the size of the planes, px. */
  fill(picture: Picture, inputWidth: number, inputHeight: number): YoloxInput {
    const shrink = Math.min(1, inputWidth / picture.width, inputHeight / picture.height);
    const width = Math.max(1, Math.floor(picture.width * shrink));
    const height = Math.max(1, Math.floor(picture.height * shrink));
    const key = `${inputWidth}x${inputHeight}:${width}x${height}`;
    if (key !== this.#key) {
      this.#planes = new Float32Array(3 * inputWidth * inputHeight).fill(PAD_VALUE);
      this.#key = key;
    }
    if (shrink === 1) copyPlanes(picture, this.#planes, inputWidth, inputHeight);
    else this.#scale(picture, { width, height }, inputWidth, inputHeight);
    return { planes: this.#planes, scaleX: picture.width / width, scaleY: picture.height / height };
  }

  #scale(
    picture: Picture,
    to: { width: number; height: number },
    inputWidth: number,
    inputHeight: number,
  ): void {
    const sizes = {
      fromWidth: picture.width,
      fromHeight: picture.height,
      toWidth: to.width,
      toHeight: to.height,
    };
    if (this.#sampler?.isFor(sizes) !== true) this.#sampler = new BilinearSampler(sizes);
    const plane = inputWidth * inputHeight;
    const layout: TensorLayout = {
      rowStride: inputWidth,
      pixelStride: 1,
      blueOffset: 0,
      greenOffset: plane,
      redOffset: 2 * plane,
    };
    this.#sampler.fill(picture.pixels, this.#planes, layout);
  }
}

/** Interleaved BGR bytes → three float planes, top left. */
function copyPlanes(picture: Picture, planes: Float32Array, inputWidth: number, inputHeight: number): void {
  const { pixels, width, height } = picture;
  const plane = inputWidth * inputHeight;
  let from = 0;
  for (let y = 0; y < height; y++) {
    let to = y * inputWidth;
    for (const end = to + width; to < end; to++, from += 3) {
      planes[to] = pixels[from] as number;
      planes[to + plane] = pixels[from + 1] as number;
      planes[to + 2 * plane] = pixels[from + 2] as number;
    }
  }
}
