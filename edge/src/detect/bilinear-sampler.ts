/** Where the three channels of a pixel go in a float tensor; offsets and strides in elements. */
export interface TensorLayout {
  readonly rowStride: number;
  readonly pixelStride: number;
  readonly blueOffset: number;
  readonly greenOffset: number;
  readonly redOffset: number;
}

export interface SamplerSizes {
  readonly fromWidth: number;
  readonly fromHeight: number;
  readonly toWidth: number;
  readonly toHeight: number;
}

/**
 * Scales BGR24 pictures of one size to another with bilinear interpolation, as OpenCV's INTER_LINEAR does: the centre of target
 * pixel x lies at `(x + 0.5) · from / to − 0.5` of the source, clamped to its border. Positions and weights are computed once.
 */
export class BilinearSampler {
  readonly #sizes: SamplerSizes;
  readonly #columns: Axis;
  readonly #rows: Axis;

  constructor(sizes: SamplerSizes) {
    this.#sizes = sizes;
    this.#columns = computeAxis(sizes.fromWidth, sizes.toWidth);
    this.#rows = computeAxis(sizes.fromHeight, sizes.toHeight);
  }

  isFor({ fromWidth, fromHeight, toWidth, toHeight }: SamplerSizes): boolean {
    const own = this.#sizes;
    return (
      own.fromWidth === fromWidth &&
      own.fromHeight === fromHeight &&
      own.toWidth === toWidth &&
      own.toHeight === toHeight
    );
  }

  /** Writes the scaled picture, values 0–255, into `target` from its beginning; other elements are left as they are. */
  fill(pixels: Uint8Array, target: Float32Array, layout: TensorLayout): void {
    const { fromWidth, toWidth, toHeight } = this.#sizes;
    const { rowStride, pixelStride, blueOffset, greenOffset, redOffset } = layout;
    const { first: left, second: right, weight: across } = this.#columns;
    const { first: upper, second: lower, weight: down } = this.#rows;
    for (let y = 0; y < toHeight; y++) {
      const top = (upper[y] as number) * fromWidth;
      const bottom = (lower[y] as number) * fromWidth;
      const wy = down[y] as number;
      for (let x = 0, to = y * rowStride; x < toWidth; x++, to += pixelStride) {
        const a = (top + (left[x] as number)) * 3;
        const b = (top + (right[x] as number)) * 3;
        const c = (bottom + (left[x] as number)) * 3;
        const d = (bottom + (right[x] as number)) * 3;
        const wx = across[x] as number;
        const wa = (1 - wx) * (1 - wy);
        const wb = wx * (1 - wy);
        const wc = (1 - wx) * wy;
        const wd = wx * wy;
        target[to + blueOffset] =
          (pixels[a] as number) * wa +
          (pixels[b] as number) * wb +
          (pixels[c] as number) * wc +
          (pixels[d] as number) * wd;
        target[to + greenOffset] =
          (pixels[a + 1] as number) * wa +
          (pixels[b + 1] as number) * wb +
          (pixels[c + 1] as number) * wc +
          (pixels[d + 1] as number) * wd;
        target[to + redOffset] =
          (pixels[a + 2] as number) * wa +
          (pixels[b + 2] as number) * wb +
          (pixels[c + 2] as number) * wc +
          (pixels[d + 2] as number) * wd;
      }
    }
  }
}

interface Axis {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Share of `second`, 0–1. */
  readonly weight: Float64Array;
}

function computeAxis(from: number, to: number): Axis {
  const axis = { first: new Int32Array(to), second: new Int32Array(to), weight: new Float64Array(to) };
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const first = Math.floor(at);
    axis.first[i] = first;
    axis.second[i] = Math.min(from - 1, first + 1);
    axis.weight[i] = at - first;
  }
  return axis;
}
